"""Expressions over all converters of OTTL, and the spans that they are evaluated for."""
import json

T = 1795000000_123456789


def q(text):
    """A text as OTTL writes it."""
    for raw, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        text = text.replace(raw, escaped)
    return '"%s"' % text


def a(key):
    return 'attributes["%s"]' % key


VALUES = {
    "s": "Hello World", "n": 7, "f": 2.5, "t": True, "nul": None, "by": b"\x00\x01\xfe", "empty": "", "uni": "\u00dcn\u00efc\u00f6d\u00e9 \u6f22\u5b57 \U0001F680",
    "tags": ["x", "y", "z", "x"], "ints": [3, 1, 2], "mixed": [1, 2.5, "three", True, None], "deep": {"a": {"b": {"c": 1}}, "list": [1, {"k": "v"}], "s": "v"},
    "no_list": [], "no_map": {}, "maps": [{"name": "a", "value": 1, "in": {"x": "p"}}, {"name": "b", "value": None, "in": {"x": "q"}}], "num": "42", "dup": [{"name": "k", "v": 1}, {"name": "k", "v": 2}],
    "xml": '<r a="1" b="&lt;2"><x>one</x><x y="z">two</x>text<!-- c --><![CDATA[raw <b>]]></r>', "csv": 'a,"b ""q""",c', "kv": "k1=v1 k2='v 2' k3=\"x=y\"", "url": "https://u:p%40w@example.com:8443/a/b.txt?q=1&q=2#frag",
    "ip": "10.1.2.3", "ip6": "2001:db8::1", "port": 443, "time": "2024-02-29T12:34:56.789Z", "enc": "shift_jis", "net": "10.0.0.0/8", "pattern": "%{IP:client}", "ua": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "bad": b"\xff\xfe", "nan": float("nan"), "doubles": [2.5, float("nan"), -1.0, 3], "bools": [True, False, True], "nested": [[1], [2]], "log": "2024-01-02 ERROR host1 [42] something failed", "sev": "warn", "code": 404,
}
ODD = [a(key) for key in ("s", "n", "f", "t", "nul", "missing", "by", "empty", "uni", "tags", "mixed", "deep", "num")] + ["status", "trace_id", "start_time", "end_time - start_time", "nil", "7", '"text"', "{\"k\": 1}", 'Split(attributes["s"], " ")']


def request(otlp):
    spans = [
        otlp.span(1, "GET /\u00fc", 2, T, T + 1_500_000_000, VALUES, status=(2, "broken"), events=[(T, "exception", {"k": "v"})], links=[7], state="vendor=abc", parent=4),
        # The same keys with other types.
        otlp.span(2, "", 0, 0, 0, {key: (str(value) if isinstance(value, (int, float)) else 5 if isinstance(value, str) else "text") for key, value in VALUES.items()}),
    ]
    resource = otlp.body(1, otlp.attributes(1, {"service.name": "chat-api", "replicas": 3}))
    scope = otlp.body(2, otlp.body(1, otlp.body(1, "lib")) + b"".join(otlp.body(2, span) for span in spans))
    return otlp.body(1, resource + scope)


def over(template, values=ODD):
    return [template % value for value in values]


def odd_types():
    """Every converter over every type, in every argument that may be computed."""
    out = []
    for name in """Base64Encode Bool ConvertAttributesToElementsXML ConvertTextToElementsXML Day Double Duration FNV Hex Hour Hours Int IsBool IsDouble IsEmpty IsInt IsList IsMap IsString IsValidLuhn Keys Len Log
            MD5 Microseconds Milliseconds Minute Minutes Month Murmur3Hash Murmur3Hash128 Nanosecond Nanoseconds ParseJSON ParseKeyValue ParseSimplifiedXML ParseXML SHA1 SHA256 SHA512 Second Seconds SliceToMap Sort String
            ToCamelCase ToKeyValueString ToLowerCase ToSnakeCase ToUpperCase Trim URL UnixMicro UnixMilli UnixNano UnixSeconds Values Weekday XXH128 XXH3 Year""".split():
        out += over(name + "(%s)")
    out += over("UserAgent(%s)", ODD[::3]) + over("String(Unix(%s))") + over("String(Unix(1, %s))") + over("String(TraceID(%s))") + over("String(SpanID(%s))") + over("String(ProfileID(%s))")
    # Go does not survive Concat(nil, "-").
    out += over('Concat(%s, "-")', [value for value in ODD if value != "nil"])
    for template in ('Concat([%s, "x"], "-")', 'Concat(["a", "b"], %s)', 'ContainsValue(%s, "x")', 'ContainsValue(attributes["mixed"], %s)', 'ConvertCase(%s, "upper")', 'Coalesce([%s, "other"])',
            'Decode(%s, "base64")', 'Decode("aGk=", %s)', 'Decode(%s, "utf-8")', 'ExtractPatterns(%s, "(?P<a>.)")', 'ExtractPatterns("abc", %s)', 'ExtractGrokPatterns(%s, "%%{WORD:w}")', 'ExtractGrokPatterns("abc 1", %s)', 'FormatTime(%s, "%%Y")',
            'GetXML(%s, "/r")', 'HasPrefix(%s, "H")', 'HasPrefix("Hello", %s)', 'HasSuffix(%s, "d")', 'HasSuffix("Hello", %s)', 'Index(%s, "x")', 'Index("text", %s)', 'Index(attributes["mixed"], %s)', 'InsertXML(%s, "/r", "<n/>")',
            'InsertXML("<r/>", "/r", %s)', 'IsInCIDR(%s, ["10.0.0.0/8"])', 'IsInCIDR("10.0.0.1", [%s])', 'IsMatch(%s, "l")', 'IsMatch("Hello", %s)', 'ParseCSV(%s, "a,b,c")', 'ParseCSV("1,2", %s)', 'ParseInt(%s, 10)', 'ParseInt("10", %s)',
            'ParseSeverity(%s, {"low": [{"equals": ["text"]}, {"range": {"min": 1, "max": 9}}]})', 'ParseSeverity("text", %s)', 'RemoveXML(%s, "//x")', 'Split(%s, "l")', 'Split("a,b", %s)', 'Substring(%s, 0, 1)', 'Substring("text", %s, 1)', 'Substring("text", 0, %s)',
            'String(Time(%s, "%%Y"))', 'TrimPrefix(%s, "H")', 'TrimPrefix("text", %s)', 'TrimSuffix(%s, "d")', 'TrimSuffix("text", %s)', 'String(TruncateTime(%s, Duration("1s")))', 'String(TruncateTime(start_time, %s))',
            'CommunityID(%s, 1, "10.0.0.2", 2)', 'CommunityID("10.0.0.1", %s, "10.0.0.2", 2)', 'CommunityID("10.0.0.1", 1, %s, 2)', 'CommunityID("10.0.0.1", 1, "10.0.0.2", %s)', 'CommunityID("10.0.0.1", 1, "10.0.0.2", 2, %s)', 'CommunityID("10.0.0.1", 1, "10.0.0.2", 2, "UDP", %s)'):
        out += [template.replace("%%", "\0").replace("%s", value).replace("\0", "%") for value in ODD]
    return out


def times():
    out = []
    formats = ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%L%z", "%d/%b/%Y:%H:%M:%S %z", "%b %d %H:%M:%S %Y", "%a, %d %b %Y %T %Z", "%A %B %e %Y", "%c", "%D", "%x %X", "%F %T", "%F %R", "%F %r", "%I:%M %p %F", "%l:%M %P %F",
        "%y%m%d", "%o/%g/%y", "%q-%g-%Y", "%F %T.%f", "%F %T,%s", "%F %T %i", "%F %T %j", "%F %T %k", "%F %T %w", "%h %e, %Y%n%T", "%F%t%T", "100%% %Y", "%Y %%", "plain", "%F %T%Z", "year %Y", "%T", "%m-%d", "%Y"]
    inputs = ["2024-02-29T12:34:56Z", "2024-2-9T1:2:3Z", "2023-02-29T12:34:56Z", "2024-02-29 12:34:56", "2024-02-29  12:34:56", "2024-02-29 12:34:56.789", "2024-02-29 12:34:56,5", "2024-02-29T12:34:56+02:00", "2024-02-29T12:34:56 -0730", "2024-02-29T12:34:56.123456789+05", "29/Feb/2024:12:34:56 +0100", "29/feb/2024:12:34:56 -0000",
        "Feb 29 12:34:56 2024", "Thu, 29 Feb 2024 12:34:56 GMT", "Thu, 29 Feb 2024 12:34:56 PST", "Thu, 29 Feb 2024 12:34:56 EST", "Thu, 29 Feb 2024 12:34:56 GMT+3", "Thu, 29 Feb 2024 12:34:56 UTC", "Thursday February 29 2024", "Thursday February  9 2024", "Thu Feb 29 12:34:56 2024", "02/29/2024", "2/9/24", "2/29/2024 12:34:56", "2024-02-29 01:02:03 pm", "2024-02-29 12:00:00 am", "11:59 PM 2024-12-31",
        "3:04 pm 2024-01-02", "240229", "700101", "2/29/24", "2-29-2024", "2024-02-29 12:34:56.123456", "2024-02-29 12:34:56,123456789", "2024-02-29 12:34:56 +02", "2024-02-29 12:34:56 +02:30", "2024-02-29 12:34:56 -02:30:15", "2024-02-29 12:34:56 -023015", "Feb 29, 2024\n12:34:56", "2024-02-29\t12:34:56", "100% 2024", "2024 %", "plain", "2024-02-29 12:34:56CET", "2024-02-29 12:34:56+03",
        "year 2024", "9999-12-31 23:59:59", "0001-01-01 00:00:00", "1600-02-29 00:00:00", "2024-02-29 24:00:00", "2024-02-29 12:60:00", "2024-02-29 12:34:60", "2024-13-01 00:00:00", "2024-00-01 00:00:00", "", " ", "2024-02-29 12:34:56 trailing", "\u0662\u0660\u0662\u0664", "2024"]
    pairs = [(f, i) for f in formats for i in inputs]
    # Not all of them: those where the first characters give hope, and a few others.
    for n, (f, i) in enumerate(pairs):
        if n % 29 == 0 or fits(f, i):
            out.append("FormatTime(Time(%s, %s), \"%%Y-%%m-%%d %%H:%%M:%%S.%%s %%k %%Z\")" % (q(i), q(f)))
    for f in formats + ["%a %A %b %B %c %d %e %g %h %H", "%I %j %k %l %m %M %n %o %p %P", "%q %r %R .%L %S %t %T %w", "%x %X %y %Y %z %Z %i %%", "%", "%%Y", "%C", "%u", "%G", "%-d", "2006", "%E", "%:z", "x.%L", "x%L", "%L", ".%f", ",%s", "%Y%", "Monday Jan MST PM", "%Y-%\u00e4", "\u00e4 %Y", ""]:
        out += ["FormatTime(start_time, %s)" % q(f), "FormatTime(Time(\"2024-07-09 03:04:05.006007008\", \"%%F %%T.%%s\", \"Asia/Kolkata\"), %s)" % q(f), "FormatTime(Unix(-1, 5), %s)" % q(f)]
    for zone in ["UTC", "", "Local", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "EST", "EST5EDT", "CET", "GMT", "Etc/GMT+5", "Zulu", "europe/berlin", "Nowhere/Land", "../etc/passwd", "/etc/localtime", "US/Pacific", "Asia/Calcutta", "Europe/London"]:
        for i in ["2024-03-31 02:30:00", "2024-10-27 02:30:00", "2024-03-10 02:30:00", "2024-11-03 01:30:00", "1970-01-01 00:00:00", "1900-01-01 00:00:00", "2050-07-01 12:00:00"]:
            out.append("FormatTime(Time(%s, \"%%F %%T\", %s), \"%%F %%T %%k %%Z\")" % (q(i), q(zone)))
        out.append("Hour(Time(\"2024-07-01 23:30:00\", \"%%F %%T\", %s))" % q(zone))
        out.append("UnixSeconds(Time(\"2024-07-01 23:30:00 CEST\", \"%%F %%T %%Z\", %s))" % q(zone))
        out.append("UnixSeconds(Time(\"2024-07-01 23:30:00 EST\", \"%%F %%T %%Z\", %s))" % q(zone))
        out.append("String(Time(\"2024-07-01 23:30:00 +0200\", \"%%F %%T %%z\", %s))" % q(zone))
        out.append("Format(\"%%v\", [Time(\"2024-07-01 23:30:00 +0200\", \"%%F %%T %%z\", %s)])" % q(zone))
        out.append("Format(\"%%v\", [Time(\"2024-01-01 00:00:00\", \"%%F %%T\", %s) + Duration(\"4380h\")])" % q(zone))
    for locale, i, f in [("de", "Montag, 05. Mai 2025", "%A, %d. %B %Y"), ("de-AT", "J\u00e4nner 5, 2025", "%B %d, %Y"), ("fr", "lundi 5 mai 2025", "%A %d %B %Y"), ("fr", "lun. 5 d\u00e9c. 2025", "%a %e %b %Y"), ("es-MX", "5 de mayo de 2025 03:04 p.m.", "%d de %B de %Y %I:%M %p"), ("pt-BR", "Segunda-feira, 5 de maio de 2025", "%A, %d de %B de %Y"),
            ("ja", "2025\u5e745\u67085\u65e5 \u6708\u66dc\u65e5", "%Y\u5e74%B%d\u65e5 %A"), ("zh", "2025 \u4e94\u6708 5", "%Y %B %d"), ("ru", "5 \u043c\u0430\u044f 2025", "%d %B %Y"), ("en", "May 5 2025", "%B %d %Y"), ("en-US", "MAY 5 2025 3:04 pm", "%B %d %Y %l:%M %P"), ("xx", "May 5 2025", "%B %d %Y"), ("", "May 5 2025", "%B %d %Y"), ("de_DE", "5 Mai 2025", "%d %B %Y"), ("DE", "5 Mai 2025", "%d %B %Y"),
            ("tr", "5 May\u0131s 2025 Pazartesi", "%d %B %Y %A"), ("el", "5 \u039c\u03b1\u0390\u03bf\u03c5 2025", "%d %B %Y"), ("nl", "ma 5 mei 2025 12:13:14", "%a %d %B %Y %T"), ("it", "5 maggio 2025", "%e %B %Y"), ("pl", "5 maja 2025", "%d %B %Y"), ("ar", "5 \u0645\u0627\u064a\u0648 2025", "%d %B %Y"), ("ko", "2025 5\uc6d4 5", "%Y %B %d"), ("de", "Monday, 05. May 2025", "%A, %d. %B %Y"), ("de", "2025-05-05", "%F"), ("sv", "m\u00e5n 05 maj 2025 3:4:5", "%a %d %b %Y %T"), ("vi", "5 th\u00e1ng 5 2025", "%d %B %Y")]:
        out.append("FormatTime(Time(%s, %s, \"UTC\", %s), \"%%F %%T\")" % (q(i), q(f), q(locale)))
        out.append("FormatTime(Time(%s, %s, locale=%s), \"%%F %%T\")" % (q(i), q(f), q(locale)))
    for d in ["1ns", "1us", "7ms", "1s", "1m", "90m", "1h", "24h", "168h", "0s", "-1h", "1.5s", "13h7m", "2540400h"]:
        out += ["String(TruncateTime(start_time, Duration(%s)))" % q(d), "String(TruncateTime(Time(\"0001-01-08 12:34:56\", \"%%F %%T\"), Duration(%s)))" % q(d), "String(TruncateTime(Time(\"2024-07-01 23:30:59\", \"%%F %%T\", \"Asia/Kathmandu\"), Duration(%s)))" % q(d), "Nanoseconds(Duration(%s))" % q(d), "String(Duration(%s))" % q(d), "Format(\"%%v\", [Duration(%s)])" % q(d), "Hours(Duration(%s))" % q(d), "Minutes(Duration(%s))" % q(d), "Seconds(Duration(%s))" % q(d), "Milliseconds(Duration(%s))" % q(d), "Microseconds(Duration(%s))" % q(d)]
    for t in ["start_time", "Unix(0)", "Unix(-1)", "Unix(-62135596801)", "Unix(253402300800)", "Unix(1700000000, 1999999999)", "Unix(1, -1)", "Time(\"9999-12-31\", \"%F\")", "Time(\"0001-01-01\", \"%F\")"]:
        out += ["%s(%s)" % (name, t) for name in ("Year", "Month", "Day", "Hour", "Minute", "Second", "Nanosecond", "Weekday", "UnixSeconds", "UnixMilli", "UnixMicro", "UnixNano", "String")] + ["Format(\"%%v\", [%s])" % t]
    out += ["Time(\"2024\", \"%Y\") > start_time", "Year(Now()) > 2000", "String(Time(\"9999-12-31\", \"%F\") - Time(\"0001-01-01\", \"%F\"))", "Nanoseconds(Time(\"2024-01-01\", \"%F\") - Time(\"2023-12-31\", \"%F\"))", "Time(\"2024\", \"%Y\", locale=\"en\", location=\"UTC\") == Time(\"2024\", \"%Y\")"]
    return [text for text in out if " > " not in text and " == " not in text]


def fits(format, text):
    """Whether the text may be of the format: as many blanks and separators."""
    shape = lambda text: "".join(c for c in text if c in " -/:,")
    expanded = format
    for directive, meaning in (("%F", "x-x-x"), ("%T", "x:x:x"), ("%X", "x:x:x"), ("%R", "x:x"), ("%D", "x/x/x"), ("%x", "x/x/x"), ("%r", "x:x:x x"), ("%c", "x x x x:x:x x")):
        expanded = expanded.replace(directive, meaning)
    return shape(expanded) == shape(text)


def encodings():
    out = []
    texts = ["hello", "", "caf\u00e9", "\u65e5\u672c\u8a9e \u30c6\u30b9\u30c8", "\u6f22\u5b57\u7b80\u4f53", "\ud55c\uad6d\uc5b4", "\u041f\u0440\u0438\u0432\u0435\u0442", "\u20ac100", "\U0001F680"]
    codecs = {"utf-8": "utf-8", "UTF-8": "utf-8", "utf-16": "utf-16-le", "UTF-16": "utf-16-be", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "csUTF16": "utf-16", "ascii": "utf-8", "us-ascii": "utf-8", "iso-ir-6": "latin-1", "iso-8859-1": "latin-1", "latin1": "latin-1", "ISO-8859-15": "iso8859-15", "iso-8859-2": "iso8859-2", "iso-8859-5": "iso8859-5",
        "iso-8859-7": "iso8859-7", "iso-8859-6-e": "iso8859-6", "windows-1252": "cp1252", "windows-1251": "cp1251", "cp437": "cp437", "ibm850": "cp850", "IBM037": "cp037", "IBM01140": "cp1140", "koi8-r": "koi8-r", "koi8-u": "koi8-u", "macintosh": "mac-roman", "shift_jis": "shift_jis", "Shift_JIS": "cp932", "MS_Kanji": "shift_jis", "euc-jp": "euc_jp", "iso-2022-jp": "iso2022_jp", "euc-kr": "euc_kr",
        "gbk": "gbk", "windows-936": "gbk", "GB18030": "gb18030", "hz-gb-2312": "hz", "big5": "big5", "utf-8-raw": "utf-8", "nop": "utf-8", "": "utf-8", " latin1 ": "latin-1", "base64": None, "gb2312": "gb2312", "utf-32": "utf-32", "latin-1": "latin-1", "iso-8859-99": "latin-1", "windows-31j": "cp932", "utf8": "utf-8", "utf-7": "utf-7", "big5-hkscs": "big5hkscs", "cp1252": "cp1252", "tis-620": "tis-620", "windows-874": "cp874", "iso-8859-11": "iso8859-11", "euc-tw": "big5"}
    for name, codec in codecs.items():
        for text in texts:
            try:
                data = text.encode(codec) if codec else __import__("base64").b64encode(text.encode())
            except UnicodeEncodeError:
                continue
            if data and name:
                out.append("Decode(0x%s, %s)" % (data.hex(), q(name)))
            elif not name:
                out.append("Decode(%s, \"\")" % q(text))
        multiple = codec in ("shift_jis", "cp932", "euc_jp", "iso2022_jp", "euc_kr", "gbk", "gb18030", "hz", "big5", "utf-16-le", "utf-8") and name not in ("MS_Kanji", "windows-936", "UTF-8", "ascii", "nop")
        for data in ("ff", "80", "81", "8140", "8e", "8ea1", "8fa1a1", "8f", "a1", "a1a1", "fefe", "fffe4100", "feff0041", "00d8", "3dd880de", "d83dde80", "1b2442", "1b24422121", "1b284921", "1b", "7e7b", "7e7b3021", "7e", "7e7e7e0a", "c3", "e282", "f09f9a80", "f09f", "ed", "eda080", "81308130", "8130813f", "fe39fe39", "8780", "fa40", "f040", "8862", "8855", "e3329a35", "c8a1", "c941", "fefe41", "a3", "0e0f", "00", "7f")[::1 if multiple else 9]:
            out.append("Decode(0x%s, %s)" % (data, q(name)))
    for text in ["aGVsbG8=", "aGVsbG8", "aGVs\nbG8=", "aGVsbG8==", "a", "aG=", "____", "-_8=", "+/8=", "aGVsbG9=", "aGk", "aGl=", "aGm=", "=", "====", " aGk=", "aGk= ", "\u00fc", "aGVsbG8=aGVs"]:
        out += ["Decode(%s, %s)" % (q(text), q(v)) for v in ("base64", "base64-raw", "base64-url", "base64-raw-url")]
    out += ["Decode(attributes[\"s\"], attributes[\"enc\"])", "Decode(attributes[\"bad\"], \"utf-8\")", "Decode(attributes[\"bad\"], \"utf-8-raw\")", "Decode(ParseJSON(\"[\\\"aGk=\\\"]\")[0], \"base64\")"]
    return out


def network():
    out = []
    ips = ["10.0.0.1", "192.168.0.1", "2001:db8::1", "::1", "::ffff:10.0.0.1", "fe80::1%eth0", "010.0.0.1", "10.0.0", "256.0.0.1", "", "::", "1:2:3:4:5:6:7:8", "::ffff:0:0", "10.0.0.1 ", "::10.0.0.1", "2001:DB8::A"]
    nets = ["10.0.0.0/8", "10.1.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32", "::ffff:10.0.0.0/104", "::ffff:0:0/96", "::ffff:10.0.0.0/80", "192.168.0.1/32", "::1/128", "10.0.0.0/33", "10.0.0.0", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08", "/8", "bad/8", "2001:db8::/129", "fe80::%eth0/10", "10.0.0.0/8 ", ""]
    out += ["IsInCIDR(%s, [%s])" % (q(ip), q(net)) for ip in ips for net in nets]
    out += ["IsInCIDR(attributes[\"ip\"], [%s])" % n for n in ("attributes[\"net\"]", "\"192.168.0.0/16\", attributes[\"net\"]", "attributes[\"s\"], attributes[\"net\"]", "attributes[\"net\"], attributes[\"s\"]", "nil", "1", "\"bad\", attributes[\"net\"]", "")] + ["IsInCIDR(attributes[\"ip\"], attributes[\"net\"])", "IsInCIDR(attributes[\"ip\"], \"10.0.0.0/8\")", "IsInCIDR(\"x\", [attributes[\"s\"]])"]
    out += ["CommunityID(%s, %d, %s, %d)" % (q(x), p, q(y), r) for x, p, y, r in [("128.232.110.120", 34855, "66.35.250.204", 80), ("66.35.250.204", 80, "128.232.110.120", 34855), ("10.0.0.1", 2, "10.0.0.1", 1), ("2001:db8::1", 1, "10.0.0.1", 2), ("::ffff:10.0.0.1", 1, "10.0.0.2", 2), ("10.0.0.1", 0, "10.0.0.2", 65535), ("10.0.0.1", -1, "10.0.0.2", 1), ("10.0.0.1", 1, "10.0.0.2", 65536), ("x", 1, "10.0.0.2", 1), ("10.0.0.1", 1, "", 1), ("fe80::1", 5, "fe80::2", 5)]]
    out += ["CommunityID(\"10.0.0.1\", 1, \"10.0.0.2\", 2, %s)" % x for x in ("\"TCP\"", "\"UDP\"", "\"ICMP\"", "\"ICMP6\"", "\"SCTP\"", "\"RSVP\"", "\"tcp\"", "\"\"", "\"UDP\", 1", "\"UDP\", 65535", "\"UDP\", 65536", "\"UDP\", -1", "seed=7", "protocol=\"UDP\", seed=7", "nil")]
    return out


def texts():
    out = []
    for text in ["", "a", "abc", "hello world", "x" * 16, "x" * 17, "x" * 128, "x" * 129, "x" * 240, "x" * 241, "x" * 1025, "\u00fcn\u00ef", "\n"]:
        out += ["%s(%s)" % (name, q(text)) for name in ("XXH3", "XXH128", "Murmur3Hash", "Murmur3Hash128", "FNV", "MD5", "SHA1")]
    rows = ["1,2,3", "1,2", "1,2,3,4", "\"a\",\"b\",\"c\"", "a\"b,c,d", "\"a\"b,c,d", "\"a,b\",c,d", "a,\"b\nc\",d", "a,b\nc,d", "a,b\r\nc,d", "", "\n\n", "a,b,c\n", ",,", "\"\",\"\",\"\"", "\"a\"\"b\",c,d", "\"open,b,c", "a,b,\"open", "a, \"b\",c", "1\t2\t3", "1|2|3", "1;2;3", "a,b\n\"x\"y,c,d", "\u00fc,\u6f22,\U0001F680", "a\r,b,c\r", "x\n,y,z", "\"a\n\",b,c", "a\"\",b,c", "\"a\" ,b,c"]
    for row in rows:
        for rest in ["\"a,b,c\"", "\"a,b,c\", mode=\"lazyQuotes\"", "\"a,b,c\", mode=\"ignoreQuotes\""]:
            out.append("ParseCSV(%s, %s)" % (q(row), rest))
    out += ["ParseCSV(%s)" % args for args in ['"1\\t2\\t3", "a\\tb\\tc", "\\t"', '"1|2|3", "a,b,c", "|", ","', '"1|2|3", "a,b,c", "|"', '"1||2", "a||b", "||"', '"1,2", "a,a"', '"1,2", ""', '"1,2", "a,b", ""', '"1,2", "a,b", "\\""', '"1,2", "a,b", "\\n"', '"1,2", "a,b", mode="other"', '"1,2", "a,b", mode=""', '"1\u00fc2", "a\u00fcb", "\u00fc"', '"1,2", "a;b", header_delimiter=";"', '"1,2", "a;b", header_delimiter=";;"', '"1", "a"', '"\\"", "a", mode="lazyQuotes"', '"a,b", "x,y", delimiter=attributes["s"]', 'attributes["csv"], "x,y,z"', 'attributes["csv"], "x,y,z", mode="ignoreQuotes"']]
    pairs = ["a=b", "a=b c=d", "a=b  c=d", "a=\"b c\" d='e f'", "a=b=c", "a", "a b=c", "a=", "=b", "", " ", "a=b a=c", "a=\"open", "a='it\\'s'", "a=\\\"x y", "k1=v1;k2=v2", "a:b,c:d", "a =b", " a=b ", "a=\"\"", "\u00fc=\u6f22 x='\U0001F680 y'", "a=b\tc=d", "a=b\nc=d", "a='b' 'c'=d", "a==b", "'a=b' c=d", "a=b\u00a0c"]
    for pair in pairs:
        out += ["ParseKeyValue(%s)" % q(pair), "ParseKeyValue(%s, \":\", \",\")" % q(pair), "ParseKeyValue(%s, \"=\", \";\")" % q(pair), "ParseKeyValue(%s, pair_delimiter=\"\\n\")" % q(pair)]
    out += ["ParseKeyValue(\"a=b\", %s)" % args for args in ['""', '"=", ""', '" "', '"=", "="', '"=="', '"=b"', '":", " "']] + ["ParseKeyValue(\"a==b!!c==d\", \"==\", \"!!\")", "ParseKeyValue(attributes[\"kv\"])"]
    for m in ["attributes[\"deep\"]", "attributes[\"no_map\"]", "{\"b\": 1, \"a\": \"x y\", \"c=\": \"q\\\"r\"}", "{\"n\": nil, \"f\": 1.5, \"t\": true, \"l\": [1, \"a\"]}", "resource.attributes", "ParseKeyValue(\"a=b c='d e'\")", "{\"nan\": attributes[\"nan\"], \"by\": attributes[\"by\"]}", "{\"big\": 1e21, \"small\": 1e-7, \"one\": 1.0}"]:
        out += ["ToKeyValueString(%s, sort_output=true)" % m, "ToKeyValueString(%s, \":\", \",\", true)" % m]
    out += ["ToKeyValueString({\"a\": 1}%s)" % args for args in ["", ', ""', ', "=", ""', ', "=", "="', ', "==", "&&"', ', sort_output=false', ', "=", " ", nil']]
    mapping = '{"debug": [{"equals": ["debug", "trace"]}, {"range": {"min": 1, "max": 8}}], "warn": [{"equals": ["warn"]}], "err": [{"range": "4xx"}, {"range": "5xx"}], "info": [{"range": "2xx", "equals": ["ok"]}, {"range": "3xx"}]}'
    out += ["ParseSeverity(%s, %s)" % (v, mapping) for v in ['"debug"', '"trace"', '"warn"', '"WARN"', '"ok"', "1", "8", "9", "200", "299", "300", "404", "500", "600", "2.5", "true", "nil", 'attributes["sev"]', 'attributes["code"]', 'attributes["f"]', 'attributes["missing"]', 'attributes["tags"]']]
    out += ["ParseSeverity(\"x\", %s)" % m for m in ['{}', '{"a": []}', '{"a": [{}]}', '{"a": "x"}', '{"a": ["x"]}', '{"a": [{"equals": "x"}]}', '{"a": [{"equals": [1]}]}', '{"a": [{"range": "6xx"}]}', '{"a": [{"range": {"min": 1}}]}', '{"a": [{"range": {"min": 1, "max": 2.5}}]}', '{"a": [{"range": 5}]}', '{"a": [{"equals": ["x"], "other": 1}]}', 'attributes["deep"]', '{"a": attributes["deep"]}', '[]', '{"a": {"equals": ["x"]}}']]
    for url in ["http://example.com", "HTTP://Example.COM:80/Path", "https://user:p%40ss@host:8080/p/a.tar.gz?q=1&r#frag", "http://host/a%2Fb?x=%zz", "http://host/a%zz", "http://host:port/", "http://host:/", "http://[::1]:8080/x", "http://[::1", "http://[fe80::1%25en0]/", "http://[1.2.3.4]/", "http://a b/", "http://host/a b", "mailto:joe@example.com", "//host/path", "/path/only.html", "path/only", "?a=1&b=2&a=3", "?", "?a;b", "?a=%zz", "?a=b+c%20d&=x&e", "#frag", "http://host#a%20b", "http://host#a b", "", "*", ":", "://x", "1http://x", "a:b", "a/b:c", "http://u@h", "http://u:@h", "http://:p@h", "http://u:p:q@h", "http://u@v@h", "http://u/x@h", "http://h/\u00fc?\u00e4#\u00f6", "http://\u00fc.de/", "http://h/%C3%BC", "http://h?", "http://h??", "http://h/?#", "http://h/.", "http://h/a.", "http://h/.a", "http:///path", "http:/path", "http:path", "file:///etc/passwd.txt", "http://h/\t", "http://h:80:90/", "ftp://h:80:90/", "http://h/;a=b,c", "http://h/a?b#c?d", "http://%41/", "http://h%C3%BC/", "HTTPS://h", "data:text/plain,hi", "urn:isbn:1", "http://h/!$&'()*+,;=:@", "http://h/[x]", "http://h/\"<>^`{|}\\", "postgres://u:p@h1:1,h2:2/db", "http://h:99999999999999999999/", "http://h:0080/", "./a:b", "http://u%20v:%3A@h/", "http://h/a/../b.c", "http://[::ffff:1.2.3.4]/", "//", "///x", "http://h//x", "?&&a=1&", "?a=1=2"]:
        out += ["URL(%s)" % q(url), "URL(%s)[\"url.path\"]" % q(url)]
    out += ["URL(attributes[\"url\"])[\"nothing\"]", "URL(\"?a=1\")[\"query\"][\"a\"][0]"]
    for v in ["[3, 1, 2]", "[\"b\", \"a\", \"C\"]", "[2.5, 1, 3]", "[true, false]", "[1, \"a\", true, nil]", "[\"10\", 9, 1.5]", "[nil, nil]", "[]", "[[2], [1]]", "[{\"a\": 1}]", "[0x02, 0x01]", "[1, 2.0, 1.0, 2]", "[\"\u00fc\", \"z\", \"\u6f22\"]", "Split(\"c,a,b\", \",\")", "[attributes[\"n\"], 3]", "[attributes[\"tags\"]]", "[-1, 0, 9223372036854775807]"] + [a(k) for k in ("tags", "ints", "mixed", "doubles", "bools", "nested", "maps", "no_list", "deep", "s", "missing")]:
        out += ["Sort(%s)" % v, "Sort(%s, \"desc\")" % v, "String(Sort(%s))" % v]
    out += ["Sort([2, 1], %s)" % o for o in ('"asc"', '"ASC"', '""', 'order="desc"', "nil")] + ["Sort([2, 1])[0]", "Len(Sort([2, 1]))", "IsList(Sort([2, 1]))", "Concat(Sort([\"b\", \"a\"]), \",\")", "Sort(Sort([2, 1]), \"desc\")", "ContainsValue(Sort([2, 1]), 2)", "Index(Sort([2, 1]), 2)"]
    for v in [a("maps"), a("dup"), a("tags"), a("mixed"), a("nested"), "[]", "[1, \"a\"]", "[{\"name\": \"x\"}]", "ParseJSON(\"[{\\\"name\\\": \\\"j\\\", \\\"value\\\": 1}]\")"]:
        for rest in ["", ", [\"name\"]", ", [\"name\"], [\"value\"]", ", [\"in\", \"x\"]", ", [\"in\"]", ", [\"value\"]", ", [\"missing\"]", ", value_path=[\"value\"]", ", value_path=[\"in\", \"x\"]", ", []", ", [\"name\"], []", ", \"name\"", ", [1]", ", [\"name\", \"x\"]"]:
            out.append("SliceToMap(%s%s)" % (v, rest))
    out += ["SliceToMap(attributes[\"maps\"], [\"name\"])[\"a\"][\"value\"]", "SliceToMap([\"a\", \"b\"])[\"1\"]", "Len(UUIDv7())", "Len(UUID())", "IsString(UUIDv7())", "Len(UUIDv7(1))"]
    for agent in ["", "x", "curl/8.4.0", "python-requests/2.31.0", "Go-http-client/1.1", "okhttp/4.9.0", "PostmanRuntime/7.32.3", "Wget/1.21.2", "Java/17.0.1", "axios/1.6.0", "node-fetch/1.0", "kube-probe/1.27", "Prometheus/2.45.0", "ELB-HealthChecker/2.0", "Googlebot/2.1 (+http://www.google.com/bot.html)", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36 Edg/119.0.2151.58", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0",
            "Mozilla/5.0 (Linux; Android 13; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.0.0 Mobile Safari/537.36", "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", "Opera/9.80 (Windows NT 6.0) Presto/2.12.388 Version/12.14", "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0)", "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/277.0 Mobile/15E148 Safari/604.1", "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 Safari/537.36", "Dalvik/2.1.0 (Linux; U; Android 12; Pixel 6)", "MyApp/1.2.3 CFNetwork/1410.0.3 Darwin/22.6.0", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "Datadog/Synthetics", "aws-sdk-go/1.44.0 (go1.19; linux; amd64)", "OpenAI/Python 1.3.0", "Anthropic/Python 0.7.0", "grpc-go/1.58.0", "\u00dcnic\u00f6de/1.0", "Mozilla/5.0", "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/51 Electron/1.4", "facebookexternalhit/1.1", "Lynx/2.8.9rel.1", "Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/538.1 Version/5.0 TV Safari/538.1", "Mozilla/5.0 (FreeBSD; rv:1)", "Roku/DVP-9.10", "UCWEB/2.0 (Java; U; MIDP-2.0; Nokia203/20.37) U2/1.0.0 UCBrowser/8.7.0.218 U2/1.0.0 Mobile"]:
        out.append("UserAgent(%s)" % q(agent))
    out += ["UserAgent(attributes[\"ua\"])[\"user_agent.name\"]"]
    return out


def grok():
    out = []
    cases = [("%{IP:client} %{WORD:method} %{NUMBER:bytes:int} %{NUMBER:took:float}", "55.3.244.1 GET 15824 0.043"), ("%{COMBINEDAPACHELOG}", '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 "http://e.com/s" "Mozilla/4.08"'), ("%{COMMONAPACHELOG}", '127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 404 -'), ("%{SYSLOGLINE}", "Jan  1 06:25:43 mailserver14 postfix/cleanup[21403]: BEEF25A72965: message-id=<2013@example.com>"),
        ("%{TIMESTAMP_ISO8601:ts} %{LOGLEVEL:level} %{GREEDYDATA:msg}", "2024-01-02T03:04:05.678Z ERROR it broke"), ("%{WORD:a.b.c}", "hello"), ("%{WORD:a:string} %{NUMBER:b:bool}", "x 1"), ("%{NUMBER:b:bool}", "2"), ("%{NUMBER:n:int}", "1.5"), ("%{NUMBER:n:long}", "-42"), ("%{NUMBER:n:double}", "1e5"), ("%{WORD:w:other}", "x"), ("%{WORD} %{WORD}", "a b"), ("%{WORD:x} %{WORD:x}", "a b"), ("(?P<own>\\d+) %{WORD:w}", "12 ab"), ("%{NOPE:x}", "a"), ("%{}", "%{}"), ("%{WORD:}", "a"), ("%{WORD:a:b:c}", "a"), ("plain", "plain text"), ("%{WORD:w", "w"), ("(", "("),
        ("%{URI:u}", "http://u:p@example.com:80/a/b?c=d"), ("%{EMAILADDRESS:e}", "joe@example.com"), ("%{UUID:id}", "123e4567-e89b-12d3-a456-426614174000"), ("%{MAC:m}", "00:1B:44:11:3A:B7"), ("%{HOSTPORT:h}", "example.com:80"), ("%{PATH:p}", "/usr/local/bin"), ("%{QUOTEDSTRING:q}", "say \"hi there\""), ("%{IPV6:ip}", "addr 2001:db8::1 end"), ("%{MONTH:m} %{MONTHDAY:d}", "Feb 29"), ("%{JAVASTACKTRACEPART}", "    at com.example.Main.run(Main.java:42)"), ("%{BASE10NUM:n:int}", "12"), ("%{BASE16NUM:h}", "0xff"), ("%{DATA:d} %{GREEDYDATA:rest}", "one two three"), ("%{NOTSPACE:n}%{SPACE:s}", "x   "), ("^%{WORD:w}$", "two words"),
        ("%{S3_ACCESS_LOG}", "79a5 mybucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a5 3E57427F3EXAMPLE REST.GET.VERSIONING - \"GET /b?versioning HTTP/1.1\" 200 - 113 - 7 - \"-\" \"S3Console/0.4\" -"), ("%{HAPROXYHTTP}", "x"), ("%{NAGIOSLOGLINE}", "x"), ("%{POSTGRESQL}", "2024-01-02 03:04:05 UTC [1]: user=u"), ("%{REDISLOG}", "[4018] 14 Nov 07:01:22.119 * Background saving"), ("%{RUBY_LOGGER}", "D, [2024-01-02T03:04:05.123456 #1]  DEBUG -- : hi"), ("%{CISCO_TAGGED_SYSLOG}", "<166>Jan 05 2024 08:00:00: %ASA-6-302013: Built"), ("%{BIND9}", "x"), ("%{MONGO_LOG}", "x"), ("%{RAILS3}", "x"), ("%{SQUID3}", "1286536309.450 0 192.168.0.68 TCP_MISS/200 507 GET http://e.com/ - DIRECT/1.2.3.4 text/html"), ("%{ELB_ACCESS_LOG}", "x"), ("%{EXIM}", "x"), ("%{BRO_HTTP}", "x"), ("%{JUNOS}", "x"), ("%{HTTPDATE:d}", "10/Oct/2000:13:55:36 -0700"), ("%{DATESTAMP_RFC822:d}", "Mon Jan 02 2024 03:04:05 UTC")]
    for pattern, text in cases:
        out += ["ExtractGrokPatterns(%s, %s)" % (q(text), q(pattern)), "ExtractGrokPatterns(%s, %s, true)" % (q(text), q(pattern)), "ExtractGrokPatterns(%s, %s, false)" % (q("nothing here"), q(pattern))]
    out += ["ExtractGrokPatterns(\"ab12 x\", %s)" % args for args in ['"%{MINE:m}", true, ["MINE=[a-z]+%{NUMBER:n:int}"]', '"%{MINE:m}", false, ["MINE=[a-z]+"]', '"%{WORD:m}", true, ["WORD=x"]', '"%{MINE:m}", true, ["MINE"]', '"%{MINE:m}", true, ["A:B=x"]', '"%{MINE:m}", true, ["MINE=%{MINE}"]', '"%{MINE:m}", true, ["MINE=%{OTHER:o}", "OTHER=[0-9]+"]', '"%{MINE:m}", true, [1]', '"%{MINE:m}", true, []', '"%{MINE:m}", pattern_definitions=["MINE=a=b|ab"]', '"%{MINE:m}", true, ["MINE=("]', '"%{MINE:m}", named_captures_only=true, pattern_definitions=["=x", "MINE=a"]', 'attributes["pattern"]', '"%{WORD:w}", attributes["t"]', '"%{IPORHOST:h}", true']]
    out += ["ExtractGrokPatterns(attributes[\"ip\"], attributes[\"pattern\"])", "ExtractGrokPatterns(attributes[\"ip\"], attributes[\"pattern\"], true)", "ExtractGrokPatterns(attributes[\"log\"], \"%{YEAR:y:int}-%{MONTHNUM:m:int}-%{MONTHDAY:d:int} %{LOGLEVEL:l} %{HOSTNAME:h} \\\\[%{POSINT:p:int}\\\\] %{GREEDYDATA:m}\")"]
    out += ["ExtractPatterns(%s, %s)" % (q(t), q(p)) for t, p in [("ab", "(?P<n>a)(?P<n>b)"), ("a", "(?P<n>a)|(?P<n>b)"), ("a", "(?P<1n>a)"), ("a", "(?P<n.x>a)"), ("a", "(?P<\u00fc>a)"), ("ax", "(?<n>a)(?<m>b)?"), ("a", "(a)"), ("\u00fcx", "(?P<u>.)(?P<x>.)"), ("b", "(?P<n>a)")]]
    return out


def xml():
    docs = ['<a/>', '<a></a>', '<a>t</a>', '<a x="1"/>', '<a><b>1</b><b>2</b><c d="e">f</c></a>', '<a>t1<b/>t2</a>', '<?xml version="1.0" encoding="UTF-8"?><a>x</a>', '<?xml version="1.1"?><a/>', '<?xml version="1.0" encoding="ISO-8859-1"?><a>x</a>', '<?xml version="1.0" encoding="windows-1252"?>\n<p:a xmlns:p="u"><p:b/><![CDATA[x]]></p:a>', '<?xml version="1.0" encoding="nope"?><a/>', '<a xmlns="u" xmlns:p="v"><p:b p:c="d"/></a>', '<p:a/>', '<p:a xmlns:p="u"/>', '<a><!-- c --><?pi some thing?><![CDATA[<raw> & ]]></a>', '<!DOCTYPE a [<!ENTITY e "x">]><a>&lt;</a>', '<a>&e;</a>', '<a>&amp;&lt;&gt;&apos;&quot;&#65;&#x42;</a>', '<a>&#0;</a>', '<a>&#xD800;</a>', '<a>&amp</a>', '<a b="&#10;\t"/>', '<a b=c/>', '<a b/>', '<a b="1" b="2"/>', '<a><b></a></b>', '<a>', '</a>', 'text', '', ' <a/>', '<a/> ', '\n<a/>\n', '<a/><b/>', '<a/>text', 'text<a/>', '<!-- c --><a/>', '<?pi x?><a/>', '<a>]]></a>', '<a><![CDATA[]]></a>', '<a><![CDATA[a]]>b<![CDATA[c]]></a>', '<\u00fc>\u6f22</\u00fc>', '<1a/>', '<a:b:c/>', '<:a/>', '<a >x</a >', '<a\n x = "1"\ty=\'2\' />', '<a><b/><b/>  <b/></a>', '<a>\r\nx\ry</a>', '<a xml:space="default"> x <b xml:space="preserve"> y </b></a>', '<r><p><c>1</c></p><p><c>2</c><c>3</c></p></r>', '<r>a<b>c</b>d<e/>f</r>', '<a><b x="1" y="2">t</b><b x="3"/></a>', '<a -->', '<a><!-- -- --></a>', '<a><b><c><d>deep</d></c></b></a>', '<a>![CDATA[no]]</a>', '<a b="<"/>', "<a b='it\"s'/>", '<a>\u0001</a>', '<x:a xmlns:x="1" xmlns:y="1"><y:b/></x:a>', '<a xmlns=""/>', '<l><i k="n1">v1</i><i k="n2">v2</i><i k="n3">v3</i></l>', '<a><b> </b><b>\n</b></a>']
    paths = ['/', '/a', '//b', '//@*', '//text()', '/a/b', '//b[1]', '//b[last()]', '//b[position()=2]', '//b[@x]', '//b[@x="1"]', '//comment()', '//processing-instruction()', '//node()', '/a/*', '//*[name()="b"]', '/a/b/@x', '//c', '.', '..', '//p/c[1]', '(//c)[1]', '//c/..', '//i[@k="n2"]/following-sibling::i', '//i[@k="n2"]/preceding-sibling::i']
    out = ["ParseXML(%s)" % q(doc) for doc in docs] + ["ParseSimplifiedXML(%s)" % q(doc) for doc in docs] + ["ConvertAttributesToElementsXML(%s)" % q(doc) for doc in docs] + ["ConvertTextToElementsXML(%s)" % q(doc) for doc in docs]
    for n, doc in enumerate(docs):
        for m, path in enumerate(paths):
            if (n + m) % 11 == 0 or doc.startswith(('<a><b>1', '<r', '<l', '<a xmlns=', '<a xml:')):
                if path not in ('//c/..', '//node()', '.', '..'):
                    # Where a node is found twice Go's output never ends.
                    out.append("GetXML(%s, %s)" % (q(doc), q(path)))
                out.append("RemoveXML(%s, %s)" % (q(doc), q(path)))
                if (n + m) % 3 == 0:
                    out.append("ConvertTextToElementsXML(%s, %s, \"v\")" % (q(doc), q(path)))
                    out.append("ConvertAttributesToElementsXML(%s, %s)" % (q(doc), q(path)))
                    if path not in ('//c/..', '//node()', '//text()', '//@*', '..'):
                        out.append("InsertXML(%s, %s, \"<n>1</n><m/>\")" % (q(doc), q(path)))
    doc = '<r><a id="1" n="x">one<b>10</b></a><a id="2">two<b>20</b><b>30</b></a><c xml:lang="en"><a id="3">three</a></c><e/></r>'
    for path in ['//a', '/r/a', '/r/a[2]', '/r/a[last()]', '//a[3]', '//a[1]', '(//a)[2]', '(//a)[last()]', '//a[@id=2]', '//a[@id="2"]/b', '//a[b]', '//a[b=20]', '//a[b>15]', '//a[b="30"]', '//a[not(b)]', '//a[@id and b]', '//a[@id="1" or @id="3"]', '//a[@id!="1"]', '//a[number(@id)>1]', '//a[count(b)=2]', '//a[count(b)>0]', '//b[.=20]', '//b[text()="20"]', '//a[contains(., "tw")]', '//a[starts-with(., "o")]', '//a[ends-with(., "e")]', '//a[matches(@id, "^[12]$")]',
            '//a[string-length(@id)=1]', '//a[substring(., 1, 2)="tw"]', '//a[substring-before(., "w")="t"]', '//a[substring-after(., "t")="wo2030"]', '//a[normalize-space(text())="one"]', '//a[translate(@id, "1", "9")="9"]', '//a[replace(@id, "(1)", "x$1")="x1"]', '//*[name()="c"]', '//*[local-name()="c"]', '//a[concat(@id, "x")="1x"]', '//b[sum(//b)=60]', '//b[floor(. div 10)=2]', '//b[ceiling(. div 7)=3]', '//b[round(. div 8)=3]', '//b[. mod 20=10]', '//b[. * 2 = 40]', '//b[. + 1 = 21]', '//b[. - 1 = 19]', '//b[-. = -20]', '//a[position()<2]', '//a[position()=last()]', '//a[boolean(b)]', '//a[true()]', '//a[false()]', '//a[string(@id)="1"]', '//a[lower-case("A")="a"]', 'reverse(//b)', '//a[string-join(b, "-")="20-30"]',
            '//b/parent::a', '//b/ancestor::r', '//b/ancestor-or-self::*', '//a/child::b', '//a/descendant::b', '//r/descendant-or-self::a', '//c/preceding::b', '//a/following::b', '//a/following-sibling::a', '//c/preceding-sibling::a', '//b/self::b', '//a/attribute::id', '//a/@n', '//@id[.="2"]', '//a/node()', '//a | //e', '//e | //b', '//a/b | //a/@id', '/r//b', '/r/*/b', '//*/b[1]', '//a/b[1]', '//a[1]/b', '//a[2]/b[2]', '/descendant::b[2]', '/r/a[b][1]', '/r/a[1][@id]', '//b[../@id="2"]', '//b[ancestor::a[@id="2"]]', '//c//a', '//c/a/..', 'count(//a)', '1', '"text"', '//a[', '//a]', '//', '///a', '/r/a[@id=$x]', 'unknown(//a)', 'a:b', '//a:*', '//namespace::*', '//foo::a', '//a[position()]', '//a[0]', '//a[1.5]', '//a["x"]', '//a[""]', '/r/(a, e)', '/r/(a|e)', '//a[@id][2]',
            '//a[last()-1]', '//a[position() mod 2 = 1]', '//b[position()=1 and .=20]', '/r/a/b[last()]', '//a[.//b]', '//a[count(.//b)=2]', '//*[@id]', '//*[not(@*)]', '//*[@xml:lang]', '//c[@xml:lang="en"]', '/r/node()[2]', '//text()[1]', '//a/text()', '//text()[contains(., "o")]', '/r/a[@id="1"]/following-sibling::*[1]', '/r/c/preceding-sibling::*[1]', '/r/e/preceding::a[1]', '//b[preceding-sibling::b]', '//b[following-sibling::b]', '/*', '/*/*', '//a[contains(@n, "x")]', '//a[@n="x"][@id="1"]', '//a[(@id)]', '//a[@id = //b]', '//b[. = ../@id * 10]', '//a[not(@id="1")]', '//a[@id<2]', '//a[@id<=2]', '//a[@id>=2]', '//a[@id>"1"]', '//a[contains(1, 2)]', '//a[starts-with(@id, @id)]', '//a[true()=true()]', '//a[matches(@id, "(")]', '//a[string-length()]', '//a[position(']:
        dangerous = ('[contains(1', 'starts-with(@id, @id', 'true()=true()', 'string-length()', '//c/a/..')
        if not any(part in path for part in dangerous):
            twice = path in ("//b/parent::a", "//b/ancestor::r", "//a/..", "//c/a/..") or "ancestor" in path or "preceding" in path or "following::" in path
            out += ([] if twice else ["GetXML(%s, %s)" % (q(doc), q(path))]) + ["RemoveXML(%s, %s)" % (q(doc), q(path))]
    out += ["GetXML(attributes[\"xml\"], %s)" % q(p) for p in ('//x', '//@a', '//text()', '/r', '//comment()', '/r/x[@y]', '')] + ["RemoveXML(attributes[\"xml\"], %s)" % q(p) for p in ('//x', '//@a', '//text()', '//comment()', '/r', '')]
    out += ["InsertXML(attributes[\"xml\"], \"/r\", %s)" % s for s in ('"<n/>"', '"<n/><m/>"', '"text"', '""', '"<bad"', 'attributes["xml"]', '"<?xml version=\\"1.0\\"?><n/>"', '"<!-- c --><n/>"')]
    out += ["InsertXML(\"\", \"/\", \"<n/>\")", "InsertXML(\"\", \".\", \"<n/>\")", "InsertXML(\"<a/>\", \"/\", \"<n/>\")", "InsertXML(\"<a><b/><b/></a>\", \"//b\", \"<n/>\")", "InsertXML(\"<a><b/><b/></a>\", \"//b\", \"<n/><m/>\")", "InsertXML(\"<a x='1'/>\", \"//@x\", \"<n/>\")", "InsertXML(\"<a>t</a>\", \"//text()\", \"<n/>\")", "InsertXML(\"<a/>\", \"//zz\", \"<n/>\")"]
    out += ["ParseXML(attributes[\"xml\"])[\"children\"][0][\"content\"]", "ParseSimplifiedXML(attributes[\"xml\"])", "ConvertAttributesToElementsXML(attributes[\"xml\"], \"/r/@a\")", "ConvertAttributesToElementsXML(attributes[\"xml\"], \"\")", "ConvertTextToElementsXML(attributes[\"xml\"], \"\", \"\")", "ConvertTextToElementsXML(attributes[\"xml\"], element_name=\"t\")", "ConvertTextToElementsXML(\"<a><b>1<c/>2</b></a>\", \"//c\")", "GetXML(\"\", \"//x\")", "RemoveXML(\"\", \"//x\")", "GetXML(\"<a/>\", attributes[\"s\"])", "GetXML(\"<a/>\")"]
    return out


def existing():
    """More about converters whose odd types are covered above."""
    out = []
    for text in ["0", "-0", "1e3", "0x10", "1_000", " 1", "1 ", "+1", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1.", ".5", "inf", "-Inf", "NaN", "nan", "infinity", "1e400", "0x1p-2", "1e-400", "true", "TRUE", "True", "tRUE", "t", "T", "1", "f", "yes", "", "\u0661", "0b1", "0o7", "1e", "e1", "--1", "0x", "_1", "1__0", "0x_1"]:
        out += ["Int(%s)" % q(text), "Double(%s)" % q(text), "Bool(%s)" % q(text), "ParseInt(%s, 10)" % q(text), "ParseInt(%s, 0)" % q(text), "ParseInt(%s, 16)" % q(text), "IsValidLuhn(%s)" % q(text)]
    out += ["ParseInt(\"z\", %s)" % base for base in ("36", "37", "1", "-1", "2", "0")]
    for n in ["1e21", "1e20", "1e-6", "1e-7", "123456789.125", "0.1", "-0.0", "1e100", "5e-324", "1.7976931348623157e308", "100.0", "3.0e0", "1000000.0", "0.000001234"]:
        out += ["String(%s)" % n, "Format(\"%%v %%g %%e %%f %%.2f %%G %%E %%8.3f %%d %%s %%x\", [%s])" % ", ".join([n] * 11), "Int(%s)" % n, "Concat([%s, 1], \",\")" % n, "IsMatch(%s, \"^1\")" % n, "String({\"v\": %s})" % n]
    for f in ["%d", "%5d|", "%-5d|", "%05d", "%+d", "% d", "%x", "%X", "%#x", "%o", "%#o", "%O", "%b", "%#b", "%c", "%q", "%U", "%#U", "%e", "%v", "%s", "%t", "%T", "%p", "%z", "%", "%!", "%%", "%5%", "%[1]d", "%[2]d", "%[1]d %d", "%*d", "%.3d", "%8.3d", "%w", "%5.2f", "%#v", "%+v", "%08.3f", "%+.2e", "%6x", "%-6x|", "%x %X", "\u00fc%d", "%d%", "%10v", "%-10v|", "%3c|", "%03d|", "% 05d", "%+05d", "%.0f", "%#.3g", "%20q", "%[1]v %[1]T", "%[3]d", "%[x]d", "%[1d", "%1.", "%.d"]:
        out += ["Format(%s, [%s])" % (q(f), v) for v in ("7", "-7", "2.5", "\"te\u00fcxt\"", "true", "nil", "7, 8", "", "attributes[\"by\"]", "end_time - start_time", "[1, \"a\", nil, true]", "trace_id", "Split(\"a b\", \" \")", "attributes[\"nan\"]")]
    # Go prints maps and received lists as addresses in memory.
    out += ["Format(%s, [%s])" % (q(f), v) for f in ("%v", "%s", "%q", "%x", "%T", "%+v", "%#v", "%40v|", "%-40v|") for v in ("start_time", "Unix(1700000000)", "Time(\"2024-07-01 23:30:00\", \"%F %T\", \"Asia/Kathmandu\")") if "#" not in f or v == "start_time"]
    out += ["Format(\"%%T\", [%s])" % v for v in ODD]
    for text in ["helloWorld", "HelloWorld", "hello_world", "hello-world.x y", "HTTPServer2Go", "already_snake", "\u00dcberGang", "", " x ", "A", "ABC", "a1b2", "one  two", "\u01c5x", "\u00df\u0130\u0131"]:
        out += ["%s(%s)" % (name, q(text)) for name in ("ToCamelCase", "ToSnakeCase", "ToLowerCase", "ToUpperCase")] + ["ConvertCase(%s, \"%s\")" % (q(text), c) for c in ("lower", "upper", "snake", "camel", "title", "")]
    for j in ['{}', '[]', '{"a":1}', '[1,2.5,"x",null,true,{"b":[]}]', '"text"', '1', 'null', '', ' {"a": 1} ', '{"a":1}{"b":2}', '{"a":1,"a":2}', '{"a":}', '{"big":12345678901234567890}', '{"f":1e400}', '{"u":"\\u00fc\\ud83d\\ude80\\ud800"}', "{'a':1}", '[1,]', '{"a":01}', '{"n":-0}', '\ufeff{}', '{"a":"\n"}', '[[[[1]]]]', '[NaN]', '{"k":"\\x"}', '{"t":"\t"}', '{"e":1E2}', '[1.0]']:
        out += ["ParseJSON(%s)" % q(j), "String(ParseJSON(%s))" % q(j)]
    for t, s, l in [("hello", 0, 5), ("hello", 1, 4), ("hello", 5, 1), ("hello", 0, 6), ("hello", -1, 1), ("hello", 0, 0), ("\u00fcber", 0, 1), ("\u00fcber", 1, 2), ("", 0, 1), ("\u6f22\u5b57", 1, 4), ("\u6f22\u5b57", 0, 4), ("hello", 4611686018427387904, 4611686018427387904)]:
        out += ["Substring(%s, %d, %d)" % (q(t), s, l), "Substring(%s, %d, %d, true)" % (q(t), s, l), "Substring(%s, %d, %d, false)" % (q(t), s, l)]
    for t in ["  x  ", "\tx\n", "", "xxyxx", "\u00a0x\u00a0", "\u00fcx\u00fc"]:
        out += ["Trim(%s)" % q(t), "Trim(%s, \"x\")" % q(t), "Trim(%s, \"\")" % q(t), "Trim(%s, \" \\t\\n\")" % q(t), "Trim(%s, \"\u00fc\")" % q(t), "Split(%s, \"x\")" % q(t), "Split(%s, \"\")" % q(t), "Split(%s, \"xx\")" % q(t)]
    for k in ("tags", "ints", "mixed", "maps", "nested", "doubles", "deep", "no_list"):
        out += ["ContainsValue(%s, %s)" % (a(k), v) for v in ('"x"', "1", "1.0", "2.5", "true", "nil", "[1]", '{"name": "a"}', a("nul"), a("tags"))] + ["Index(%s, %s)" % (a(k), v) for v in ('"x"', "1", "1.0", "2.5", "true", "nil", "[1]", a("missing"))] + ["%s(%s)" % (f, a(k)) for f in ("Len", "Values", "Keys", "String", "IsEmpty")] + ["Concat(%s, \"|\")" % a(k)]
    out += ["ContainsValue(%s, %s)" % (l, v) for l in ('["a", 1, nil]', '[attributes["tags"]]', '[{"a": 1}]', 'Split("a,b", ",")', "[[1]]") for v in ('"a"', "1", "nil", '{"a": 1}', "[1]", 'attributes["tags"]')]
    out += ["Coalesce([%s])" % v for v in ("", "nil", "nil, nil", "nil, 1", "attributes[\"missing\"], attributes[\"nul\"], \"x\"", "attributes[\"empty\"], 1", "attributes[\"missing\"][\"x\"], 1", "Int(\"x\"), 1", "1, Int(\"x\")", "[], 1")] + ["Coalesce(attributes[\"tags\"])", "Coalesce(nil)"]
    out += ["Base64Encode(%s, %s)" % (q(t), q(v)) for t in ("", "a", "ab", "abc", "\u00fc?>") for v in ("base64", "base64-raw", "base64-url", "base64-raw-url", "", "other")]
    out += ["Log(%s)" % v for v in ("1", "0", "-1", "2.718281828459045", "\"10\"", "\"x\"", "1e300", "attributes[\"nan\"]")] + ["IsValidLuhn(%s)" % q(v) for v in ("4111111111111111", "4111 1111 1111 1111", "4111-1111", "0", "00", " ", "79927398713", "79927398710", "a", "\u0664", "+0", "-0")]
    out += ["TraceID(%s)" % v for v in ('"0123456789abcdef0123456789abcdef"', "0x0102030405060708090a0b0c0d0e0f10", '"xyz"', "0x01", '"0123456789ABCDEF0123456789ABCDEF"', '"1234567890123456"', '"zz23456789abcdef0123456789abcdef"')]
    out += ["String(%s(%s))" % (f, v) for f in ("TraceID", "SpanID", "ProfileID") for v in ('"0123456789abcdef0123456789abcdef"', "0x0102030405060708090a0b0c0d0e0f10", '"0123456789abcdef"', "0x0102030405060708", '"12345678"', '"xyz"', "7", '""')]
    out += ["IsEmpty(%s)" % v for v in ("start_time", "Unix(0)", "Time(\"0001-01-01\", \"%F\")", "Duration(\"0\")", "Duration(\"1s\")", "TraceID(0x00000000000000000000000000000000)", "span_id", "parent_span_id", "events", "links", "status", "\" \"", "0.0", "[nil]", "{\"a\": nil}", "Split(\"\", \",\")", "0x00", "resource.attributes", "cache")]
    out += ["Duration(%s) == nil" % q("1s")] and ["Nanoseconds(Duration(%s))" % q(v) for v in ("1h1m1s1ms1us1ns", "1\u00b5s", "1\u03bcs", "1.5h", "-1.5h", "+1s", "1", "0", "+0", "-0", "", ".", ".s", "1.s", ".1s", "1d", "1S", "1 s", "9223372036854775807ns", "9223372036854775808ns", "-9223372036854775808ns", "3000000h", "1e3s", "0.1ns", "1.999999999999999999999s", "0x1s", "1s1h", "1h 1m")]
    return out


# Where this crate differs: bytes of GBK that are for private use, and the verbs %p and %w for arrays.
DIFFERENT = {"Decode(0x%s, %s)" % (data, q(name)) for data in ("fefe", "fefe41") for name in ("gbk", "GB18030")} | {
    "Format(%s, [%s])" % (q(verb), value) for verb in ("%p", "%w") for value in ("attributes[\"by\"]", "trace_id", "[1, \"a\", nil, true]", "Split(\"a b\", \" \")")}


def expressions():
    return [text for text in everything() if text not in DIFFERENT]


def everything():
    return odd_types() + times() + encodings() + network() + texts() + grok() + xml() + existing()


if __name__ == "__main__":
    found = expressions()
    print(len(found), len(set(found)))

//! Redis commands without their values, as the obfuscator of Datadog's agent does it, which the Collector uses. Commands are told by lines;
//! of each, those arguments go that hold values.

/// Reads commands and arguments.
struct Words<'q> {
    rest: &'q [u8],
    /// Whether a command comes next.
    command_next: bool,
}

/// The commands with question marks in the place of values.
pub(super) fn sanitize(query: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut words = Words { rest: super::trim(query), command_next: true };
    let (mut command, mut arguments) = (Vec::new(), Vec::new());
    while let Some((word, is_command)) = words.next_word() {
        if !is_command {
            arguments.push(word);
            continue;
        }
        if !command.is_empty() {
            put(&mut out, &command, &mut arguments);
            out.push(b'\n');
        }
        command = word;
        arguments.clear();
    }
    put(&mut out, &command, &mut arguments);
    out
}

fn put(out: &mut Vec<u8>, command: &[u8], arguments: &mut Vec<Vec<u8>>) {
    mask(command, arguments);
    out.extend_from_slice(command);
    for argument in arguments.iter() {
        out.push(b' ');
        out.extend_from_slice(argument);
    }
}

/// Masks the arguments that hold values.
fn mask(command: &[u8], arguments: &mut Vec<Vec<u8>>) {
    if arguments.is_empty() {
        return;
    }
    let upper = command.to_ascii_uppercase();
    match upper.as_slice() {
        b"AUTH" => mask_rest(arguments, 0),
        b"APPEND" | b"GETSET" | b"LPUSHX" | b"GEORADIUSBYMEMBER" | b"RPUSHX" | b"SET" | b"SETNX" | b"SISMEMBER"
        | b"ZRANK" | b"ZREVRANK" | b"ZSCORE" => mask_one(arguments, 1),
        b"HSETNX" | b"LREM" | b"LSET" | b"SETBIT" | b"SETEX" | b"PSETEX" | b"SETRANGE" | b"ZINCRBY" | b"SMOVE"
        | b"RESTORE" => mask_one(arguments, 2),
        b"LINSERT" => mask_one(arguments, 3),
        b"GEOHASH" | b"GEOPOS" | b"GEODIST" | b"LPUSH" | b"RPUSH" | b"SREM" | b"ZREM" | b"SADD" => {
            mask_rest(arguments, 1);
        }
        b"GEOADD" => mask_every(arguments, 1, 3),
        b"HSET" | b"HMSET" => mask_every(arguments, 1, 2),
        b"MSET" | b"MSETNX" => mask_every(arguments, 0, 2),
        b"CONFIG" if arguments.first().is_some_and(|first| first.eq_ignore_ascii_case(b"SET")) => {
            mask_one(arguments, 2);
        }
        b"BITFIELD" => mask_bitfield(arguments),
        b"ZADD" => {
            let options: [&[u8]; 4] = [b"NX", b"XX", b"CH", b"INCR"];
            let is_option = |argument: &Vec<u8>| options.contains(&argument.as_slice());
            let members = arguments.iter().skip(1).position(|argument| !is_option(argument));
            let first = members.map_or(arguments.len() - 1, |at| at + 1);
            mask_every(arguments, first, 2);
        }
        _ => {}
    }
}

fn mask_one(arguments: &mut [Vec<u8>], at: usize) {
    if let Some(argument) = arguments.get_mut(at) {
        *argument = b"?".to_vec();
    }
}

/// One question mark for all arguments from there on.
fn mask_rest(arguments: &mut Vec<Vec<u8>>, from: usize) {
    mask_one(arguments, from);
    arguments.truncate(from + 1);
}

/// The last one of every so many arguments.
fn mask_every(arguments: &mut [Vec<u8>], from: usize, step: usize) {
    for argument in arguments.iter_mut().skip(from + step - 1).step_by(step) {
        *argument = b"?".to_vec();
    }
}

/// The value of the first `SET type offset value`.
fn mask_bitfield(arguments: &mut [Vec<u8>]) {
    let mut set = 0;
    for at in 0..arguments.len() {
        if arguments.get(at).is_some_and(|argument| argument.eq_ignore_ascii_case(b"SET")) {
            set = at;
        }
        if set > 0 && at - set == 3 {
            return mask_one(arguments, at);
        }
    }
}

// === impl Words ===

impl Words<'_> {
    fn next_word(&mut self) -> Option<(Vec<u8>, bool)> {
        if self.rest.is_empty() {
            return None;
        }
        Some(if self.command_next { (self.command(), true) } else { (self.argument(), false) })
    }

    fn pop(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn command(&mut self) -> Vec<u8> {
        let mut word = Vec::new();
        while let Some(byte) = self.pop() {
            match byte {
                b' ' if word.is_empty() => self.skip_space(),
                b' ' => {
                    self.command_next = false;
                    self.skip_space();
                    return word;
                }
                b'\n' => return word,
                other => word.push(other),
            }
        }
        word
    }

    /// An argument; spaces and line ends in quotes are part of it.
    fn argument(&mut self) -> Vec<u8> {
        let mut word = Vec::new();
        let (mut quoted, mut escaped) = (false, false);
        while let Some(byte) = self.pop() {
            match byte {
                b'\n' if !quoted => {
                    self.command_next = true;
                    return word;
                }
                b' ' if !quoted => {
                    self.skip_space();
                    return word;
                }
                b'"' if !escaped => quoted = !quoted,
                _ => {}
            }
            word.push(byte);
            escaped = byte == b'\\' && !escaped;
        }
        word
    }

    /// Space up to the next word, or up to and with the end of the line, behind which a command comes.
    fn skip_space(&mut self) {
        while let [b' ' | b'\t' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
        if let [b'\n', rest @ ..] = self.rest {
            self.rest = rest;
            self.command_next = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: commands of all forms, several in one text, with quotes and escapes.
    /// Guarantees: values go, keys stay.
    #[test]
    fn commands() {
        for (given, expected) in [
            ("", ""),
            ("AUTH my-secret", "AUTH ?"),
            ("set key value EX 5", "set key ? EX 5"),
            ("SET key \"a b\\\" c\" NX", "SET key ? NX"),
            ("LPUSH k 1 2 3", "LPUSH k ?"),
            ("GEOADD k 1 2 m 3 4 n", "GEOADD k 1 2 ? 3 4 ?"),
            ("HMSET k a 1 b 2", "HMSET k a ? b ?"),
            ("MSET a 1 b 2", "MSET a ? b ?"),
            ("CONFIG SET timeout 5", "CONFIG SET timeout ?"),
            ("BITFIELD k GET u8 0 SET u8 1 200 SET u8 2 3", "BITFIELD k GET u8 0 SET u8 1 ? SET u8 2 3"),
            ("ZADD k NX CH 1 m 2 n", "ZADD k NX CH 1 ? 2 ?"),
            ("GET a\nSET b c\n", "GET a\nSET b ?"),
            ("UNKNOWN a b", "UNKNOWN a b"),
        ] {
            assert_eq!(String::from_utf8(sanitize(given.as_bytes())).unwrap(), expected, "{given}");
        }
    }
}

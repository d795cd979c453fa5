#!/usr/bin/env python3
"""Derives prices.tsv from the price data that the Python package `litellm` carries.

  renew.py                 downloads the newest wheel with pip and writes prices.tsv beside this file
  renew.py --wheel FILE    the same from a wheel that is there already

The data is LiteLLM's, under the MIT licence: see NOTICE beside this file. Kept are prices of tokens, in US dollars a million of them, prices of
searches and images, in US dollars each, and the size of the context window in tokens, for models that a span can name. Needs Python 3.9+ and pip.
"""
import argparse, datetime, decimal, glob, json, pathlib, re, subprocess, sys, tempfile, zipfile

DATA = "litellm/model_prices_and_context_window_backup.json"
CONSTANTS = "litellm/constants.py"
MODES = {"chat", "responses", "completion", "embedding", "rerank", "realtime", "image_generation", None}

# LiteLLM's names of providers to those of the conventions; others stay as they are.
PROVIDERS = {
    "azure": "azure.ai.openai", "azure_text": "azure.ai.openai", "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock", "bedrock_converse": "aws.bedrock", "bedrock_mantle": "aws.bedrock",
    "gemini": "gcp.gemini", "xai": "x_ai", "mistral": "mistral_ai", "cohere_chat": "cohere", "moonshot": "moonshot_ai",
    "watsonx": "ibm.watsonx.ai", "text-completion-openai": "openai", "chatgpt": None, "together_ai": "together_ai",
    "fireworks_ai": "fireworks", "fireworks_ai-embedding-models": "fireworks",
}

# Names of rates by the beginning of LiteLLM's field.
RATES = [
    ("cache_creation_input_token_cost_above_1hr", "write1h"),
    ("input_cost_per_audio_token", "audio_in"),
    ("output_cost_per_audio_token", "audio_out"),
    ("cache_read_input_audio_token_cost", "audio_read"),
    ("input_cost_per_image_token", "image_in"),
    ("output_cost_per_image_token", "image_out"),
    ("cache_read_input_image_token_cost", "image_read"),
    ("cache_creation_input_token_cost", "write"),
    ("cache_read_input_token_cost", "read"),
    ("input_cost_per_token", "in"),
    ("output_cost_per_reasoning_token", "reasoning"),
    ("output_cost_per_token", "out"),
]
# Google charges a prompt that was grounded once, however often it searched, unless the entry says otherwise.
ONCE_A_PROMPT = {"gemini", "vertex_ai-language-models"}
FILE_SEARCH = re.compile(r'"OPENAI_FILE_SEARCH_COST_PER_1K_CALLS", ([\d.]+) / 1000')
TIER = re.compile(r"^(?:_above_(\d+)k_tokens)?(?:_(priority|flex|batches))?$")


def provider_of(name):
    if name.startswith("vertex_ai"):
        return "gcp.vertex_ai"
    return PROVIDERS.get(name, name)


def rate_of(field):
    """`in`, `in@200k`, `in#priority`, `in@200k#priority`; none for what is no price of a token."""
    for beginning, name in RATES:
        if field.startswith(beginning):
            tier = TIER.match(field[len(beginning):])
            if not tier:
                return None
            above, service = tier.groups()
            return name + (f"@{above}k" if above else "") + (f"#{service.replace('batches', 'batch')}" if service else "")
    return None


def model_of(key, provider):
    """The key without the route to the provider in front, in lower case."""
    key = key.lower()
    for prefix in (provider, provider.split("-")[0], "bedrock", "vertex_ai"):
        if key.startswith(prefix + "/"):
            return key[len(prefix) + 1:]
    return key


def dollars(price, pieces=1):
    # Through the shortest text of the number: what LiteLLM's file says, not what binary makes of it.
    value = decimal.Decimal(repr(price)) * pieces
    text = format(value.normalize(), "f")
    if len(text.partition(".")[2]) > 9:
        text = format(value.quantize(decimal.Decimal("1e-9")).normalize(), "f")
    return text


def pieces_of(entry, file_search):
    """What is paid by the piece. Prices that depend on what no span tells are left out: sizes of images, sizes of a search's context."""
    found = {}
    searches = set((entry.get("search_context_cost_per_query") or {}).values())
    if len(searches) == 1 and any(searches):
        once = entry["litellm_provider"] in ONCE_A_PROMPT and entry.get("web_search_billing_unit") != "per_query"
        found["grounding" if once else "search"] = dollars(searches.pop())
    if entry["litellm_provider"] == "openai" and "/v1/responses" in entry.get("supported_endpoints", []):
        found["file_search"] = file_search
    by_size = any(field.startswith("output_cost_per_image_") for field in entry)
    if entry.get("mode") == "image_generation" and entry.get("output_cost_per_image") and not by_size:
        found["image"] = dollars(entry["output_cost_per_image"])
    return found


def rows(data, file_search):
    table = {}
    # Of a model that is there twice, the entry of its images comes last.
    for key, entry in sorted(data.items(), key=lambda item: item[1].get("mode") == "image_generation"):
        provider = entry.get("litellm_provider")
        if key == "sample_spec" or not provider or entry.get("mode") not in MODES:
            continue
        # `1024-x-1024/dall-e-3`: no span names a model so.
        if "-x-" in key:
            continue
        name = provider_of(provider)
        rates = {}
        for field, price in entry.items():
            rate = rate_of(field)
            if rate and isinstance(price, (int, float)) and price >= 0:
                rates[rate] = dollars(price, 1_000_000)
        rates.update(pieces_of(entry, file_search))
        # All prices zero: free, a preview, or not known. None of that is a price.
        if name is None or not any(rates.get(rate, "0") != "0" for rate in ("in", "out", "image")):
            continue
        context = entry.get("max_input_tokens")
        if isinstance(context, int) and context > 0:
            rates["context"] = context
        table.setdefault((name, model_of(key, provider)), rates)
    return table


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--wheel")
    wheel = options.parse_args().wheel
    with tempfile.TemporaryDirectory() as folder:
        if not wheel:
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", folder, "litellm"], check=True)
            (wheel,) = glob.glob(folder + "/litellm-*.whl")
        version = pathlib.Path(wheel).name.split("-")[1]
        files = zipfile.ZipFile(wheel)
        data = json.loads(files.read(DATA))
        # This price stands in LiteLLM's program, not in its data.
        file_search = decimal.Decimal(FILE_SEARCH.search(files.read(CONSTANTS).decode())[1]) / 1000
    table = rows(data, format(file_search.normalize(), "f"))
    lines = [f"# {datetime.date.today()} LiteLLM {version}", "# provider\tmodel\tUS dollars a million tokens, or each of searches and images; and tokens of context"]
    for (provider, model), rates in sorted(table.items()):
        lines.append("\t".join([provider, model, " ".join(f"{rate}={price}" for rate, price in sorted(rates.items()))]))
    target = pathlib.Path(__file__).with_name("prices.tsv")
    target.write_text("\n".join(lines) + "\n")
    print(f"{target}: {len(table)} models of {len(set(provider for provider, _ in table))} providers, LiteLLM {version}")


main()

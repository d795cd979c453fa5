// Node's fetch takes no notice of HTTPS_PROXY; this makes it, before the driver is loaded.
import { EnvHttpProxyAgent, setGlobalDispatcher } from "undici";

setGlobalDispatcher(new EnvHttpProxyAgent());

"""The provider under its real names: programs call https://api.openai.com and reach the mock.

They find it through HTTPS_PROXY, and trust it through a certificate authority made for this run. So the drivers are the plain
programs of the SDKs' documentation, and the recordings carry the addresses of production."""
import asyncio
import ssl

import trustme


class Names:
    """A TLS context that has a certificate for whatever host is asked for."""

    def __init__(self, folder):
        self.authority = trustme.CA()
        self.file = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(str(self.file))
        self.contexts = {}
        self.context = self.context_of("localhost")
        self.context.sni_callback = self.choose

    def context_of(self, host):
        if host not in self.contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.authority.issue_cert(host).configure_cert(context)
            self.contexts[host] = context
        return self.contexts[host]

    def choose(self, connection, host, _context):
        if host:
            connection.context = self.context_of(host)


class Proxy:
    """Answers CONNECT; whatever host is meant, the mock's TLS port gets the bytes."""

    def __init__(self, tls_port):
        self.tls_port = tls_port

    async def serve(self):
        self.server = await asyncio.start_server(self.connection, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def connection(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"CONNECT "):
                writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
                return
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.tls_port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()

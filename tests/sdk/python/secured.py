"""TLS in front of keymux, for SDKs that speak nothing else."""

import asyncio
import datetime
import ssl
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness import PATIENCE_S


class Secured:
    """TLS in front of a program, with a certificate of its own: the SDK opens WebSockets by TLS alone, whatever its base
    URL says."""

    def __init__(self, url, folder):
        self.certificate = Path(folder) / "front.pem"
        self.certificate.write_bytes(_self_signed())
        self._behind = url.removeprefix("http://").rsplit(":", 1)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(self.certificate)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        listening = asyncio.start_server(self._pass_on, "127.0.0.1", 0, ssl=self._tls)
        server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(PATIENCE_S)
        self.url = f"https://localhost:{server.sockets[0].getsockname()[1]}"

    async def _pass_on(self, reader, writer):
        async def copy(source, target):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
            target.close()

        behind = await asyncio.open_connection(*self._behind)
        await asyncio.gather(copy(reader, behind[1]), copy(behind[0], writer), return_exceptions=True)
        writer.close()
        behind[1].close()

    def stop(self):
        async def end():
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)


def _self_signed():
    """A key and a certificate for localhost, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    certificate = certificate.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = certificate.add_extension(names, critical=False).sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    pkcs8 = serialization.PrivateFormat.PKCS8
    pem = serialization.Encoding.PEM
    return key.private_bytes(pem, pkcs8, plain) + certificate.public_bytes(pem)

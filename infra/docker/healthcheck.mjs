// Asks the service in this container whether it is ready; exit 0 when it is. Node's own fetch, so the image needs no curl.
const url = `http://127.0.0.1:${process.env.PORT}/health/ready`;
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(4_000) });
  process.exitCode = response.ok ? 0 : 1;
  if (!response.ok) process.stderr.write(`${url} answered ${response.status}: ${await response.text()}\n`);
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(`${url}: ${error.message}\n`);
}

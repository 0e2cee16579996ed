// The images that come from elsewhere, by the variable that pins each; docker-compose.yml has the same tags as defaults.
export const IMAGES = {
  KAFKA_IMAGE: 'apache/kafka:4.3.0',
  REDIS_IMAGE: 'redis:7.2-bookworm',
  POSTGRES_IMAGE: 'postgres:17-bookworm',
  NODE_IMAGE: 'node:24-bookworm-slim',
};

/** `<tag>@<digest>`: Docker fetches by the digest alone; the tag says to people what it is. */
export function toPin(tag, repoDigests) {
  const repository = tag.replace(/:[^:/]*$/, '');
  const names = [repository, `docker.io/${repository}`, `docker.io/library/${repository}`];
  const found = repoDigests.map((entry) => entry.split('@')).find(([name]) => names.includes(name));
  if (found === undefined || !/^sha256:[0-9a-f]{64}$/.test(found[1])) {
    throw new Error(`${tag} has no digest of a registry: it was built or loaded on this machine`);
  }
  return `${tag}@${found[1]}`;
}

/** The text of an .env file with these lines, in place of earlier ones of the same names. */
export function setPins(text, pins) {
  const kept = text.split('\n').filter((line) => !Object.keys(pins).some((name) => line.startsWith(`${name}=`)));
  while (kept.at(-1) === '') kept.pop();
  return [...kept, ...Object.entries(pins).map(([name, pin]) => `${name}=${pin}`), ''].join('\n');
}

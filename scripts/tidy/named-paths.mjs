import { posix } from 'node:path';
import { readText } from './repository.mjs';

const LINK = /\]\(([^)\s]+)\)/g;
const CODE = /`([^`\n]+)`/g;
/** A file of this repository, or a folder with a slash at its end. */
const PATH =
  /^(?:\.{0,2}\/)?[A-Za-z0-9_@.-]+(?:\/[A-Za-z0-9_@.-]+)*(?:\.(?:ts|tsx|mjs|cjs|sh|ya?ml|json|jsonc|md|py|proto|Dockerfile)|\/)$/;

/** Files and folders that a page names and that do not exist, as `page: name`. */
export function findMissingPaths(page, files) {
  const known = toKnown(files);
  const text = readText(page);
  const folder = posix.dirname(page);
  const links = [...text.matchAll(LINK)].map(([, target]) => target.replace(/#.*$/, '')).filter(isLocal);
  const named = [...withoutBlocks(text).matchAll(CODE)].map(([, code]) => code).filter((code) => PATH.test(code));
  const lost = [
    ...links.filter((target) => !known.paths.has(posix.normalize(posix.join(folder, target)).replace(/\/$/, ''))),
    ...named.filter((name) => !isKnown(name, folder, known)),
  ];
  return [...new Set(lost)].map((name) => `${page}: ${name}`);
}

const isLocal = (target) => target !== '' && !/^[a-z]+:/.test(target);

function toKnown(files) {
  const paths = new Set(files);
  for (const file of files) {
    for (let folder = posix.dirname(file); folder !== '.'; folder = posix.dirname(folder)) paths.add(folder);
  }
  return { paths, all: [...paths] };
}

/** From the page, from the root, or the end of some path: pages name files of their own package by the last part. */
function isKnown(name, folder, { paths, all }) {
  const path = name.replace(/^\.\//, '').replace(/\/$/, '');
  if (paths.has(path) || paths.has(posix.normalize(posix.join(folder, path)))) return true;
  const near = folder === 'docs' || folder === '.' || folder.startsWith('docs/') ? '' : `${folder}/`;
  return all.some((candidate) => candidate.startsWith(near) && candidate.endsWith(`/${path}`));
}

/** Commands and output are examples: they may name the reader's files. Lines keep their numbers. */
export function withoutBlocks(text) {
  return text.replaceAll(/^```[\s\S]*?^```/gm, (block) => block.replaceAll(/[^\n]/g, ''));
}

export { connectRedis, type Redis } from './connect.js';

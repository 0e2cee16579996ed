export { type ApiClient, createApiClient } from './client.js';
export { loadProfilePage, type ProfilePage } from './profile-page.js';

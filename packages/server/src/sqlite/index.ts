export { type SqliteLogOptions } from './sqlite-log.ts'
export { sqliteStore, type SqliteStoreOptions } from './sqlite-store.ts'

export { langGraphApi } from './langgraph-api.ts'

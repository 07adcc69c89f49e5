import { defineConfig } from 'vite'
import { demoConfig } from './server/dev/config.ts'

export default defineConfig(demoConfig(process.env))

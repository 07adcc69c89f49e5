import { describe } from 'vitest'
import { storeContract } from '../../test/store-contract.ts'
import { temporaryStore } from '../../test/sqlite.ts'

describe('a store in a file', () => {
  storeContract(() => temporaryStore())
})

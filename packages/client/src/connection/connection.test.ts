import { RivuletError } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { defaultRetryPolicy, nextConnection, type Connection, type Happening } from './connection.ts'

const lost = new RivuletError('DISCONNECTED', 'the line is dead', { retryable: true })
const policy = { ...defaultRetryPolicy, maxAttempts: 3 }

function after(...happenings: Happening[]): Connection {
  return happenings.reduce<Connection>((from, happening) => nextConnection(from, happening, policy), { phase: 'idle' })
}

function dropped(details: Partial<Extract<Happening, { type: 'dropped' }>> = {}): Happening {
  return { type: 'dropped', error: lost, jitter: 1, nowMs: 0, ...details }
}

test('a connection is dialled, opens, and closes when it is done', () => {
  expect(after({ type: 'dialled' })).toEqual({ phase: 'connecting', attempt: 0 })
  expect(after({ type: 'dialled' }, { type: 'opened' })).toEqual({ phase: 'open', attempt: 0 })
  expect(after({ type: 'dialled' }, { type: 'opened' }, { type: 'finished' })).toEqual({
    phase: 'closed',
    reason: 'done',
  })
})

test('each drop without progress doubles the wait, up to the longest', () => {
  const delays = [1, 2, 3].map((drops) => {
    const waiting = after(...Array.from({ length: drops }, () => dropped()))
    return waiting.phase === 'waiting' ? waiting.delayMs : undefined
  })
  expect(delays).toEqual([250, 500, 1000])
  const long = nextConnection({ phase: 'open', attempt: 2 }, dropped(), { ...policy, maxDelayMs: 600 })
  expect(long).toMatchObject({ phase: 'waiting', delayMs: 600 })
})

test('jitter only ever shortens a wait, to half at most', () => {
  expect(after(dropped({ jitter: 0 }))).toMatchObject({ delayMs: 125 })
  expect(after(dropped({ jitter: 0.5 }))).toMatchObject({ delayMs: 187.5 })
})

test('a server that asks for time gets it, and jitter on top, up to a bound', () => {
  expect(after(dropped({ retryAfterMs: 5000, jitter: 0 }))).toMatchObject({ delayMs: 5125 })
  expect(after(dropped({ retryAfterMs: 1e9, jitter: 0 }))).toMatchObject({ delayMs: 60_125 })
})

test('after too many drops in a row it gives up and says why', () => {
  const closed = after(dropped(), dropped(), dropped(), dropped())
  expect(closed).toMatchObject({
    phase: 'closed',
    reason: 'failed',
    error: { code: 'DISCONNECTED', retryable: true, message: 'gave up after 3 retries: the line is dead', cause: lost },
  })
})

test('it gives up when its time is used up', () => {
  const hurried = { ...policy, budgetMs: 1000 }
  const first = nextConnection({ phase: 'open', attempt: 0 }, dropped({ nowMs: 5000 }), hurried)
  const second = nextConnection(first, dropped({ nowMs: 6000 }), hurried)
  expect(second).toMatchObject({ phase: 'waiting', attempt: 2 })
  expect(nextConnection(second, dropped({ nowMs: 6001 }), hurried)).toMatchObject({
    phase: 'closed',
    error: { code: 'DISCONNECTED', message: 'gave up after 2 retries: the line is dead' },
  })
  const progressed = nextConnection(second, { type: 'progressed' }, hurried)
  expect(nextConnection(progressed, dropped({ nowMs: 9000 }), hurried)).toMatchObject({ phase: 'waiting', attempt: 1 })
})

test('without a network no attempt is counted', () => {
  const offline = after(dropped(), dropped({ isOffline: true }), dropped({ isOffline: true }))
  expect(offline).toMatchObject({ phase: 'offline', attempt: 1, delayMs: 10_000 })
  expect(nextConnection(offline, { type: 'dialled' }, policy)).toMatchObject({ phase: 'connecting', attempt: 1 })
})

test('progress forgives earlier drops, opening alone does not', () => {
  expect(after(dropped(), dropped(), { type: 'dialled' }, { type: 'opened' }, dropped())).toMatchObject({ attempt: 3 })
  expect(after(dropped(), dropped(), { type: 'dialled' }, { type: 'progressed' }, dropped())).toMatchObject({
    attempt: 1,
  })
})

test('an error that trying again cannot mend closes at once', () => {
  const error = new RivuletError('AUTH_REQUIRED', 'who are you?')
  expect(after({ type: 'dialled' }, dropped({ error }))).toEqual({ phase: 'closed', reason: 'failed', error })
})

test('nothing comes after the end', () => {
  const closed = after({ type: 'cancelled' })
  const all: Happening[] = [
    { type: 'dialled' },
    { type: 'opened' },
    dropped(),
    { type: 'finished' },
    { type: 'cancelled' },
  ]
  for (const happening of all) expect(nextConnection(closed, happening, policy)).toBe(closed)
})

test('a connection that stays as it is stays the same object', () => {
  const open = after({ type: 'opened' })
  expect(nextConnection(open, { type: 'opened' }, policy)).toBe(open)
  expect(nextConnection(open, { type: 'progressed' }, policy)).toBe(open)
})

import { scriptedModel, type ChatModel, type MessageChunk } from '@rivulet/core'
import { RivuletError, type Message } from '@rivulet/protocol'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { withFallback, withRetry } from '../src/index.ts'
import { manualClock } from './manual-clock.ts'
import { providerServer, writeJson, writeStream, type Handler, type ProviderServer } from './provider-server.ts'

/** What an adapter over HTTP has to show. */
export interface Adapter {
  /** The model, at a server with this address. */
  readonly model: (url: string) => ChatModel
  /** Bodies of answers, in the shapes that the provider's documentation gives. */
  readonly bodies: {
    /** A whole stream with all there is, and what it adds up to. */
    readonly whole: { readonly body: string; readonly message: Omit<Message, 'id'> & { id?: string } }
    /** The beginning of a stream, with the text `Hal`. */
    readonly begun: string
    /** What ends the stream after that with an error of the provider's that may pass. */
    readonly error: string
    /** An answer without streaming, and the message. */
    readonly json: { readonly body: object; readonly message: Omit<Message, 'id'> & { id?: string } }
    /** What an error looks like as JSON. */
    readonly refused: object
  }
}

/** The tests that every adapter over HTTP passes. */
export function adapterContract(name: string, { model, bodies }: Adapter): void {
  let server: ProviderServer | undefined

  afterEach(async () => {
    await server?.close()
    server = undefined
  })

  const serve = async (handler: Handler): Promise<ChatModel> => {
    server = await providerServer(handler)
    return model(server.url)
  }
  const failureOf = async (model: ChatModel): Promise<RivuletError> => {
    const error: unknown = await model.invoke('hi').catch((thrown: unknown) => thrown)
    if (!(error instanceof RivuletError)) throw new Error(`not an error of ours: ${String(error)}`)
    return error
  }

  describe(`${name}: an answer`, () => {
    test('is the same message wherever its bytes are cut', async () => {
      let cuts: readonly number[] = []
      const served = await serve((response) => writeStream(response, bodies.whole.body, cuts))
      expect(await served.invoke('hi')).toEqual({ id: expect.any(String), ...bodies.whole.message })
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(), { maxLength: 12 }), async (given) => {
          cuts = given
          expect(await served.invoke('hi')).toEqual({ id: expect.any(String), ...bodies.whole.message })
        }),
        { numRuns: 10 },
      )
    })

    test('that begins byte by byte is the same message', async () => {
      const length = Math.min(300, Buffer.byteLength(bodies.whole.body))
      const cuts = Array.from({ length: length - 1 }, (_, i) => i + 1)
      const served = await serve((response) => writeStream(response, bodies.whole.body, cuts))
      expect(await served.invoke('hi')).toEqual({ id: expect.any(String), ...bodies.whole.message })
    })

    test('without streaming is one request for one body', async () => {
      const served = await serve((response) => writeJson(response, bodies.json.body))
      const message = await served.with({ streaming: false }).invoke('hi')
      expect(message).toEqual({ id: expect.any(String), ...bodies.json.message })
      expect(server?.requests.map(({ body }) => body['stream'] ?? false)).toEqual([false])
    })
  })

  describe(`${name}: a stop`, () => {
    const begin: Handler = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(bodies.begun)
    }

    test('by the signal closes the connection, and its reason is thrown', async () => {
      const served = await serve(begin)
      const stop = new AbortController()
      const heard: MessageChunk[] = []
      const listen = async () => {
        for await (const chunk of served.stream('hi', { signal: stop.signal })) {
          heard.push(chunk)
          if (chunk.content === 'Hal') stop.abort(new Error('stopped'))
        }
      }
      await expect(listen()).rejects.toThrow('stopped')
      expect(heard.map(({ content = '' }) => content).join('')).toBe('Hal')
      await server?.closed(0)
    })

    test('by leaving the loop closes the connection', async () => {
      const served = await serve(begin)
      let heard = ''
      for await (const { content = '' } of served.stream('hi')) {
        heard += content
        if (heard === 'Hal') break
      }
      await server?.closed(0)
      expect(heard).toBe('Hal')
    })

    test('before the first byte throws its reason', async () => {
      const stop = new AbortController()
      const served = await serve(() => stop.abort(new Error('stopped')))
      await expect(served.invoke('hi', { signal: stop.signal })).rejects.toThrow('stopped')
      await server?.closed(0)
    })
  })

  describe(`${name}: a failure`, () => {
    test.each([
      [400, /did not accept/, false],
      [401, /check the API key/, false],
      [404, /check the name of the model/, false],
      [429, /busy/, true],
      [503, /status 503/, true],
    ])('with status %i is a sentence without what the provider said', async (status, sentence, retryable) => {
      const served = await serve((response) => writeJson(response, bodies.refused, status))
      const error = await failureOf(served)
      expect(error).toMatchObject({ code: 'PROVIDER_FAILED', retryable })
      expect(error.message).toMatch(sentence)
      expect(JSON.stringify(error)).not.toContain('secret')
      expect(server?.requests).toHaveLength(1)
    })

    test.each([
      ['an error said with status 200', { error: { message: 'secret' } }, /answered with an error/],
      ['another kind of object', { hello: 'secret' }, /Check the address/],
    ])('is %s in place of a whole answer', async (_what, body, sentence) => {
      const served = await serve((response) => writeJson(response, body))
      const error = await failureOf(served.with({ streaming: false }))
      expect(error).toMatchObject({ code: 'PROVIDER_FAILED', retryable: false })
      expect(error.message).toMatch(sentence)
      expect(JSON.stringify(error)).not.toContain('secret')
    })

    test('is an answer that is no stream', async () => {
      const served = await serve((response) => void response.end('<html>Welcome</html>'))
      expect(await failureOf(served)).toMatchObject({
        code: 'PROVIDER_FAILED',
        message: expect.stringMatching(/without a stream\. Check the address/),
      })
    })

    test('of the connection may be tried again', async () => {
      const served = await serve(() => {})
      await server?.close()
      expect(await failureOf(served)).toMatchObject({
        code: 'PROVIDER_FAILED',
        retryable: true,
        message: expect.stringMatching(/cannot be reached/),
      })
    })

    test('in the middle of the stream may be tried again', async () => {
      const served = await serve((response) => writeStream(response, bodies.begun + bodies.error))
      expect(await failureOf(served)).toMatchObject({ code: 'PROVIDER_FAILED', retryable: true })
    })

    test('to finish, by a body that ends, may be tried again', async () => {
      const served = await serve((response) => writeStream(response, bodies.begun))
      expect(await failureOf(served)).toMatchObject({ code: 'PROVIDER_FAILED', retryable: true })
    })

    test('to finish, by a connection that breaks, may be tried again', async () => {
      const served = await serve((response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(bodies.begun, () => response.destroy())
      })
      expect(await failureOf(served)).toMatchObject({ code: 'PROVIDER_FAILED', retryable: true })
    })
  })

  describe(`${name}: another try`, () => {
    test('comes when the provider asked for it, and nothing is left of the first', async () => {
      const served = await serve((response, _request, count) =>
        count === 0
          ? writeJson(response, bodies.refused, 429, { 'retry-after': '7' })
          : writeStream(response, count === 1 ? bodies.begun : bodies.whole.body),
      )
      const clock = manualClock()
      const waited: number[] = []
      const random = () => 0
      const onRetry = ({ delayMs }: { delayMs: number }) => {
        waited.push(delayMs)
        // What waits is begun right after this.
        queueMicrotask(() => void clock.advance(delayMs))
      }
      const chunks: MessageChunk[] = []
      for await (const chunk of withRetry(served, { clock, random, onRetry }).stream('hi')) chunks.push(chunk)
      expect(waited).toEqual([7000, 500])
      expect(chunks.filter(({ restart }) => restart)).toHaveLength(1)
      const text = chunks.slice(chunks.findLastIndex(({ restart }) => restart === true) + 1)
      expect(text.map(({ content = '' }) => content).join('')).toBe(bodies.whole.message.content)
    })

    test('may be another model', async () => {
      const served = await serve((response) => writeStream(response, bodies.begun))
      expect((await withFallback(served, scriptedModel('other')).invoke('hi')).content).toBe('other')
    })
  })
}

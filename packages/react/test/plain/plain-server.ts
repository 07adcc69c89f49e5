import { createServer, type Server } from 'node:http'

export const server: Server = createServer((request, response) => {
  const question = new URL(request.url ?? '/', 'http://localhost').searchParams.get('query') ?? ''
  response.writeHead(200, { 'content-type': 'text/event-stream', 'access-control-allow-origin': '*' })
  const send = (frame: object) => response.write(`data: ${JSON.stringify(frame)}\n\n`)
  if (question.length > 100) send({ type: 'error', message: 'that is too long a question' })
  else for (const word of `You asked: ${question}`.split(/(?= )/)) send({ type: 'token', content: word })
  response.end('data: [DONE]\n\n')
})

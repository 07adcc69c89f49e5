import type { Message } from '@rivulet/protocol'
import { MessageNews } from '../runtime/message-news.ts'
import type { Field, FieldOptions } from './field.ts'
import { messageList, type MessageListUpdate } from './message-list.ts'

/**
 * A list of messages merged by id: a message with a known id replaces it, others are appended, {@link removeMessage}
 * takes one out. Takes one message or a list, of our shape or LangChain's, OpenAI's, AI SDK's, or a string.
 */
export function messages(options: FieldOptions = {}): Field<Message[], MessageListUpdate, MessageListUpdate> {
  return { kind: 'messages', initial: () => [], list: messageList, news: MessageNews, ...options }
}

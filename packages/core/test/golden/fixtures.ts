import agentTools from './fixtures/agent_tools.json' with { type: 'json' }
import command from './fixtures/command.json' with { type: 'json' }
import conditional from './fixtures/conditional.json' with { type: 'json' }
import errorSequential from './fixtures/error_sequential.json' with { type: 'json' }
import interrupt from './fixtures/interrupt.json' with { type: 'json' }
import ioSchema from './fixtures/io_schema.json' with { type: 'json' }
import linear from './fixtures/linear.json' with { type: 'json' }
import linearNocp from './fixtures/linear_nocp.json' with { type: 'json' }
import messagesDisableStreaming from './fixtures/messages_disable_streaming.json' with { type: 'json' }
import messagesNoLlm from './fixtures/messages_no_llm.json' with { type: 'json' }
import messagesNonStreamingModel from './fixtures/messages_non_streaming_model.json' with { type: 'json' }
import messagesStreamingModel from './fixtures/messages_streaming_model.json' with { type: 'json' }
import messagesSubgraph from './fixtures/messages_subgraph.json' with { type: 'json' }
import parallel from './fixtures/parallel.json' with { type: 'json' }
import recursion from './fixtures/recursion.json' with { type: 'json' }
import send from './fixtures/send.json' with { type: 'json' }
import subgraphInvokedInNode from './fixtures/subgraph_invoked_in_node.json' with { type: 'json' }
import subgraphTwoLevels from './fixtures/subgraph_two_levels.json' with { type: 'json' }

/** What was recorded, by the name of its case: imported, so that a page can read it too. */
export const fixtures: Readonly<Record<string, unknown>> = {
  agent_tools: agentTools,
  command,
  conditional,
  error_sequential: errorSequential,
  interrupt,
  io_schema: ioSchema,
  linear,
  linear_nocp: linearNocp,
  messages_disable_streaming: messagesDisableStreaming,
  messages_no_llm: messagesNoLlm,
  messages_non_streaming_model: messagesNonStreamingModel,
  messages_streaming_model: messagesStreamingModel,
  messages_subgraph: messagesSubgraph,
  parallel,
  recursion,
  send,
  subgraph_invoked_in_node: subgraphInvokedInNode,
  subgraph_two_levels: subgraphTwoLevels,
}

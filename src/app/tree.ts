import type { ExitReason } from '../actors/exit-reason.js';
import type { Pid } from '../actors/pid.js';
import type { ChatNode } from '../chat/chat-node.js';
import type { PartitionMessage, RegistrarMessage, SessionMessage } from '../chat/messages.js';
import { Partition } from '../chat/partition.js';
import { Registrar, type RegistrarOptions } from '../chat/registrar.js';
import { Session } from '../chat/session.js';
import { PARTITIONS } from '../storage/stores.js';
import type { Socket } from '../transport/socket.js';

export interface ChatTreeParts {
  readonly node: ChatNode;
  readonly registrar: RegistrarOptions;
  readonly onPartition: (index: number, pid: Pid<PartitionMessage>) => void;
  readonly onRegistrar: (pid: Pid<RegistrarMessage>) => void;
  readonly onExit: (reason: ExitReason) => void;
}

export interface ChatTree {
  readonly startSession: (socket: Socket) => Session | null;
}

export function startChatTree(parts: ChatTreeParts): ChatTree {
  const { node } = parts;
  parts.onRegistrar(
    node.runtime.spawn<RegistrarMessage>((self) => new Registrar(node, self, parts.registrar)),
  );
  for (let index = 0; index < PARTITIONS; index++) {
    parts.onPartition(
      index,
      node.runtime.spawn<PartitionMessage>((self) => new Partition(node, self, index)),
    );
  }
  return {
    startSession: (socket) => {
      let session: Session | null = null;
      node.runtime.spawn<SessionMessage>((self) => {
        session = new Session(node, self, socket);
        return session;
      });
      return session;
    },
  };
}

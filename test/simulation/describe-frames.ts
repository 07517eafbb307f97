import {
  Batch,
  BatchReader,
  Deliver,
  decodeAck,
  decodeBatch,
  decodeDeliver,
  decodeError,
  decodeHello,
  decodeMore,
  decodePull,
  decodeRanges,
  decodeReadReceipt,
  decodeReceipt,
  decodeSend,
  decodeSendAck,
  decodeWelcome,
  ErrorRef,
  errorName,
  FrameReader,
  FrameType,
  frameName,
  ReadReceipt,
  Receipt,
  Send,
  SendAck,
} from '../../src/protocol/index.js';

/** The frames of a message in few words, for the trace. Never throws: what cannot be read is said to be so. */
export function describeFrames(bytes: Uint8Array): string {
  const reader = new FrameReader().reset(bytes);
  const texts: string[] = [];
  try {
    while (reader.next()) texts.push(describeFrame(reader, false));
  } catch (error) {
    texts.push(`?(${error instanceof Error ? error.message : String(error)})`);
  }
  return texts.join(' · ');
}

function describeFrame(reader: FrameReader, fromServer: boolean): string {
  const name = frameName(reader.type);
  switch (reader.type) {
    case FrameType.hello: {
      const { user, device, epoch, seq } = decodeHello(reader);
      return `hello user ${user}/${device} cursor ${epoch}:${seq}`;
    }
    case FrameType.welcome: {
      const { state, epoch, head, truncated, pendingCount } = decodeWelcome(reader);
      return `welcome ${['resumed', 'reset', 'truncated', 'anonymous'][state]} epoch ${epoch} head ${head} truncated ${truncated} pending ${pendingCount}`;
    }
    case FrameType.send: {
      const send = new Send();
      decodeSend(reader, send);
      return `send ${send.messageId}→${send.to} (${send.bodyEnd - send.bodyStart} B)`;
    }
    case FrameType.sendAck: {
      const ack = new SendAck();
      decodeSendAck(reader, ack);
      return `ack of ${ack.messageId}${ack.duplicate ? ' (duplicate)' : ''}`;
    }
    case FrameType.deliver: {
      const deliver = new Deliver();
      decodeDeliver(reader, deliver);
      return `deliver seq ${deliver.seq} ${deliver.from}#${deliver.messageId}`;
    }
    case FrameType.receipt: {
      if (!fromServer) {
        try {
          const sent = new ReadReceipt();
          const { position } = reader;
          decodeReadReceipt(reader, sent);
          const text = `read-receipt ${sent.messageId}→${sent.to} ${decodeRanges(sent.source, sent.rangesStart, sent.rangesEnd).join('-')}`;
          if (reader.position === reader.end) return text;
          reader.position = position;
        } catch {
          // It was the server's.
        }
      }
      const receipt = new Receipt();
      decodeReceipt(reader, receipt);
      return `receipt seq ${receipt.seq} ${receipt.read ? 'read' : 'delivered'} by ${receipt.from} ${decodeRanges(receipt.source, receipt.rangesStart, receipt.rangesEnd).join('-')}`;
    }
    case FrameType.ack:
      return `accepted ${decodeAck(reader)}`;
    case FrameType.pull: {
      const pull = { seq: 0, countMax: 0, bytesMax: 0 };
      decodePull(reader, pull);
      return `pull after ${pull.seq} (${pull.countMax}, ${pull.bytesMax} B)`;
    }
    case FrameType.more: {
      const { head, count } = decodeMore(reader);
      return `more head ${head} count ${count}`;
    }
    case FrameType.batch: {
      const batch = new Batch();
      decodeBatch(reader, batch);
      const items = new BatchReader().open(batch);
      const texts: string[] = [];
      while (items.next()) texts.push(describeFrame(items, true));
      return `batch${batch.hasMore ? '+' : ''}[${texts.join(', ')}]`;
    }
    case FrameType.error: {
      const { refKind, ref, code, detail, message } = decodeError(reader);
      const what =
        refKind === ErrorRef.connection
          ? ''
          : refKind === ErrorRef.message
            ? ` of ${ref}`
            : ` of request ${ref}`;
      return `error${what} ${errorName(code)} (${detail}) ${message}`;
    }
    default:
      return name;
  }
}

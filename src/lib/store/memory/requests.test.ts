import { describeLogStore, describeRequestStore } from '#tests/contract/requests.ts';
import { MemoryLogLines } from './log-lines.ts';
import { MemoryRequests } from './requests.ts';

describeRequestStore('memory', () => Promise.resolve(new MemoryRequests()));

describeLogStore('memory', () => Promise.resolve(new MemoryLogLines()));

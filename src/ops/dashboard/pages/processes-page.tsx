import { ProcessDetail } from '../process-detail.js';
import { ProcessSearch } from '../process-search.js';
import { SupervisionTree } from '../supervision-tree.js';
import { TopMailboxes } from '../top-mailboxes.js';

/** Who has most to do, the supervision tree, and each process by itself. */
export function ProcessesPage(props: { readonly rest: string }) {
  if (props.rest !== '') return <ProcessDetail key={props.rest} pid={props.rest} />;
  return (
    <>
      <TopMailboxes />
      <SupervisionTree />
      <ProcessSearch />
    </>
  );
}

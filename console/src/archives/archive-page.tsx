export default function ArchivePage(props: { readonly id?: string }) {
  return <p>{props.id}</p>;
}

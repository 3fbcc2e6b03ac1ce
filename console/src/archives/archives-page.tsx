export default function ArchivesPage(props: { readonly id?: string }) {
  return <p>{props.id}</p>;
}

export default function CameraPage(props: { readonly id?: string }) {
  return <p>{props.id}</p>;
}

/** What is sealed and opened. */

const sentence = 'But soft, what light through yonder window breaks? It is the east, and Juliet is the sun. ';

/** A chat message of Juliet to Romeo whose body has so many octets. */
export function chatMessage(size: number): string {
  const body = sentence.repeat(Math.ceil(size / sentence.length)).slice(0, size);
  const addresses = "from='juliet@example.com/balcony' to='romeo@example.net/orchard'";
  return `<message xmlns='jabber:client' ${addresses} id='m1' type='chat'><body>${body}</body></message>`;
}

/**
 * The processor time that this process has used, in milliseconds. Growth of cost is measured with it and not with the
 * clock on the wall, which runs on while the machine does something else.
 */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Makes ids in Close's form: a kind, an underscore, letters and digits. */
export function createIdMaker(nextNumber: () => number): (kind: string) => string {
  return (kind) => {
    const counter = nextNumber() + 1;
    // Multiplying by an odd constant scatters neighbours, as in the vendor's ids, where order tells nothing.
    const scattered = (Math.imul(counter, 0x9e3779b1) >>> 0).toString(36).padStart(7, '0');
    return `${kind}_${scattered}${counter.toString(36).padStart(7, '0')}`;
  };
}

/** Sees every call of a port: `proceed` makes it. */
export type Around = (call: string, proceed: () => Promise<unknown>) => Promise<unknown>

/** The same port, with every call led through `around` under the name `port.method`. */
export const intercept = <Port extends object>(name: string, port: Port, around: Around): Port => {
  const wrap = ([method, call]: [string, unknown]) => {
    const wrapped = (...parameters: unknown[]) =>
      // A port is an object of functions that return promises.
      around(`${name}.${method}`, () => (call as (...all: unknown[]) => Promise<unknown>)(...parameters))
    return [method, wrapped]
  }
  // The same names, each with a function of the same type.
  return Object.fromEntries(Object.entries(port).map(wrap)) as Port
}

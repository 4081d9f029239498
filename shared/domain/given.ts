/** The fields that have a value: an absent field and one set to `undefined` are not the same to JSON's readers. */
export const given = <Fields extends object>(fields: Fields) => {
  const found: { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } = {}
  for (const name in fields) {
    // What is not undefined is what the type says; the compiler does not follow.
    if (fields[name] !== undefined) found[name] = fields[name] as Exclude<(typeof fields)[typeof name], undefined>
  }
  return found
}

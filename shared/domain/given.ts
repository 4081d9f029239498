/** The fields that have a value: an absent field and one set to `undefined` are not the same to JSON's readers. */
export const given = <Fields extends object>(fields: Fields) =>
  // fromEntries forgets the names; nothing was renamed or added.
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: Exclude<Fields[Name], undefined>
  }

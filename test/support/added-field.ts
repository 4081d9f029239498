/** What another version has in every record that it writes, and this one does not know. */
export const addedField = 'added_later'

/** The file that was chosen in the page. */
export const chosenFile = (): File => {
  const [file] = chosenFiles()
  if (!file) throw new Error('no file was chosen')
  return file
}

export const chosenFiles = (): File[] => [...(document.querySelector('input')?.files ?? [])]

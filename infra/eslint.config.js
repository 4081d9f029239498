import root from '../eslint.config.js'

/** The root passes over this folder, whose packages it does not have. */
const isAboutFolders = (entry) => Object.keys(entry).every((name) => name === 'ignores' || name === 'name')

export default [{ ignores: ['cdk.out/', 'eslint.config.js'] }, ...root.filter((entry) => !isAboutFolders(entry))]

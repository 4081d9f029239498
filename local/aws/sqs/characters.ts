import { sqsError } from './errors.ts'

// The characters of XML 1.0, which is what SQS takes.
const forbiddenCharacter = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u

/** For a body and for the text of an attribute alike. @throws AwsError InvalidMessageContents */
export const checkCharacters = (text: string): void => {
  if (forbiddenCharacter.test(text))
    throw sqsError(
      'InvalidMessageContents',
      'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF',
    )
}

import { CfnOutput, type Stack } from 'aws-cdk-lib'

/** The environment of the services, by their own variables' names. What is undefined has no output. */
export type Environment = Readonly<Record<string, string | undefined>>

/** CloudFormation's outputs have no underscores in their names, so each tells its variable in its description. */
export const tellEnvironment = (stack: Stack, environment: Environment): void => {
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined) new CfnOutput(stack, outputId(name), { description: name, value })
  }
}

/** `S3_BUCKET` is `S3Bucket`. */
const outputId = (name: string) =>
  name
    .split('_')
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join('')

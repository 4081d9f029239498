export const invalidatorVariableNames = ['CDN_DISTRIBUTION_ID']

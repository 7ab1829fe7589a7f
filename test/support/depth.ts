export const isFullDepth = process.env.DAGWRIGHT_TEST_DEPTH === 'full';

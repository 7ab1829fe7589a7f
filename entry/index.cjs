// For require(): the same modules that import gets, not a second copy of them.
// Written so that any Node reads it, since it says which Node is needed.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19))
  throw new Error(
    `dagwright needs Node ${require('../package.json').engines.node}; this is ${process.versions.node}`,
  );
module.exports = require('../dist/index.js');

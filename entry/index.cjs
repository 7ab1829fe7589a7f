// For require(): the same modules that import gets, not a second copy of them.
module.exports = require('../dist/index.js');

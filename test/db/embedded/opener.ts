// A command as the tests need one: opens the embedded database, says so as one JSON line, and stays until its standard
// input ends or it is killed. A line on standard error is progress. Imports the checkout that it lies in.
import { openEmbedded } from '../../../src/db/embedded/server.ts';

const options = JSON.parse(process.argv[2]!) as Parameters<typeof openEmbedded>[0];
const { stop, ...opened } = await openEmbedded({ ...options, onProgress: (text) => console.error(text) });
console.log(JSON.stringify(opened));
process.stdin.on('end', stop).resume();

// How a test begins a transaction that it holds for as long as it wants: the server ends ours after 5 s of silence, and on a
// loaded machine what a test does meanwhile takes longer.
export const BEGIN = 'begin; set local idle_in_transaction_session_timeout = 0';

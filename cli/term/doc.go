// Package term is how relay talks to people: lines and one status line on a terminal, what that
// terminal can show, tables, screens, keys, QR codes for phones, and the short texts that every
// command uses. Of cli it knows package lang alone. Its rules:
//
//   - Results (a link, an address, a stream) go to stdout when it is not a terminal;
//     everything else goes to stderr.
//   - An error is one line, "relay: error: what happened", and where a person can do
//     something about it a second one, "relay: hint: what to do next".
//   - Whatever comes from a stranger is printed as text: no control characters.
//   - A warning is like an error: "relay: warning: ...", and a hint.
//   - One status line is redrawn in place on a terminal. Elsewhere there is a line when
//     something in it changes that matters.
//   - With --json, what happens goes to stdout as well, an object on a line (words.Events).
//   - What it says is in the person's language; results and logs stay English.
//   - On a terminal sentences are broken between words ([Style.Fold]), so that it tears none. What people copy stays whole, even
//     where it does not fit: links, addresses, commands, which the terminal then wraps and copies as one line. Tables, codes and
//     logs stay as they are (Print), and so does all that goes to something else than a terminal.
//   - Colours and codes are used on a terminal alone, and no colours if NO_COLOR is set.
package term

// Package privacy decides which secret a private channel has, at its source and where it is joined:
// one that was kept, a new one, or one that follows from a passphrase. It knows no flags.
package privacy

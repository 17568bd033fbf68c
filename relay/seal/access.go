package seal

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strings"
)

// SecretLen is the length of a secret, and of a join part, in bytes: nobody guesses 128 bits.
const SecretLen = 16

// Channel is the ID of a channel.
type Channel = [32]byte

// What the keys are made for. They are part of what old links mean, and never change.
const (
	infoContent = "relay/1 content"
	infoJoin    = "relay/1 join"
)

// Access is what a node has been given of a private channel. The zero Access is none: that of a
// public channel. No text shows it, whatever verb prints it; Fragment does.
type Access struct {
	kind   kind
	secret [SecretLen]byte
	phrase bool // it was made of a passphrase, which links leave out
}

type kind uint8

const (
	public  kind = iota
	whole        // the secret
	joining      // the join part alone
	asking       // the secret follows from a passphrase that is still to be given
)

// New returns a secret that nobody knows yet.
func New() Access {
	a := Access{kind: whole}
	_, _ = rand.Read(a.secret[:]) // never fails
	return a
}

// OfPassphrase returns the access that a passphrase gives, of which secret was made.
func OfPassphrase(secret [SecretLen]byte) Access {
	return Access{kind: whole, secret: secret, phrase: true}
}

// OfJoinPart returns the access that a join part gives.
func OfJoinPart(part [SecretLen]byte) Access { return Access{kind: joining, secret: part} }

// JoinPart returns the join part of the access to a channel, of use only if a.CanJoin().
func (a Access) JoinPart(channel Channel) [SecretLen]byte { return a.JoinOnly(channel).secret }

// Private reports whether the channel is a private one.
func (a Access) Private() bool { return a.kind != public }

// CanRead reports whether it opens the stream.
func (a Access) CanRead() bool { return a.kind == whole }

// CanJoin reports whether it lets a node in: false as long as the passphrase is missing.
func (a Access) CanJoin() bool { return a.kind == whole || a.kind == joining }

// ByPassphrase reports whether it is, or has to be, made of a passphrase.
func (a Access) ByPassphrase() bool { return a.kind == asking || a.phrase }

// JoinOnly returns the join part of the access to a channel: enough to be let in and to pass the
// stream on, and no more. What cannot be reduced stays as it is.
func (a Access) JoinOnly(channel Channel) Access {
	if a.kind != whole {
		return a
	}
	return Access{kind: joining, secret: [SecretLen]byte(a.derive(channel, infoJoin, SecretLen))}
}

// derive makes a key of the secret. The lengths are within HKDF's bounds, so that it does not fail.
func (a Access) derive(channel Channel, info string, n int) []byte {
	return expand(a.secret[:], channel[:], info, n)
}

func expand(secret, salt []byte, info string, n int) []byte {
	k, err := hkdf.Key(sha256.New, secret, salt, info, n)
	if err != nil {
		panic("seal: " + err.Error())
	}
	return k
}

const (
	// joinPrefix and phraseWord are in no secret's text, which is longer.
	joinPrefix = "join-"
	phraseWord = "passphrase"
)

// text is that of a secret: the letters and digits of a channel ID.
var text = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Fragment is what a link has behind its #; "" for a public channel.
func (a Access) Fragment() string {
	switch {
	case a.ByPassphrase():
		return phraseWord
	case a.kind == joining:
		return joinPrefix + text.EncodeToString(a.secret[:])
	case a.kind == whole:
		return text.EncodeToString(a.secret[:])
	}
	return ""
}

// Stored is Fragment for a file that nobody else reads: of an access by passphrase it has the
// secret too. ParseStored reads it back.
func (a Access) Stored() string {
	if a.kind == whole && a.phrase {
		return phraseWord + "-" + text.EncodeToString(a.secret[:])
	}
	return a.Fragment()
}

// errSecret shows nothing of what was given.
var errSecret = errors.New("what follows the # is no secret of a private channel: part of it may be missing")

// Parse reads what a link has behind its #. The error shows nothing of it.
func Parse(s string) (Access, error) {
	s = strings.ToLower(s)
	if s == phraseWord {
		return Access{kind: asking}, nil
	}
	a := Access{kind: whole}
	if rest, ok := strings.CutPrefix(s, joinPrefix); ok {
		a.kind, s = joining, rest
	}
	b, err := text.DecodeString(s)
	if err != nil || len(b) != SecretLen || text.EncodeToString(b) != s {
		return Access{}, errSecret
	}
	a.secret = [SecretLen]byte(b)
	return a, nil
}

// ParseStored reads what Stored has written.
func ParseStored(s string) (Access, error) {
	if rest, ok := strings.CutPrefix(s, phraseWord+"-"); ok {
		a, err := Parse(rest)
		if err != nil || a.kind != whole {
			return Access{}, errSecret
		}
		a.phrase = true
		return a, nil
	}
	return Parse(s)
}

// Format writes a placeholder.
func (a Access) Format(f fmt.State, _ rune) {
	s := "(public)"
	if a.Private() {
		s = "(secret)"
	}
	_, _ = io.WriteString(f, s)
}

// MarshalText writes the same placeholder.
func (a Access) MarshalText() ([]byte, error) { return []byte(fmt.Sprint(a)), nil }

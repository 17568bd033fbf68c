package tree

import (
	"encoding/base32"
	"fmt"
)

// ID names a node: SHA-256 of its Ed25519 public key. The zero ID stands for a
// node that is known by its address only.
type ID [32]byte

// The lengths of an ID's text forms, in characters.
const (
	// IDLen is the whole ID.
	IDLen = 52
	// TagLen is a tag, which tells the nodes of a tree apart for people and programs.
	// Its 60 bits do not stand for the node in anything that needs proof.
	TagLen = 12
	// ShortLen is the short form, for logs and narrow tables.
	ShortLen = 8
)

// idText writes IDs as channel IDs are written: RFC 4648 base32 in lower case.
var idText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// String returns the ID's text form, [IDLen] characters.
func (id ID) String() string { return idText.EncodeToString(id[:]) }

// Tag returns the first [TagLen] characters of the text form.
func (id ID) Tag() string { return id.String()[:TagLen] }

// Short returns the first [ShortLen] characters of the text form.
func (id ID) Short() string { return id.String()[:ShortLen] }

// IsZero reports whether the node's ID is not known.
func (id ID) IsZero() bool { return id == ID{} }

// ParseID parses the text form that String returns, and no other. IDs are compared and
// looked up as text, so no node may have two forms of its ID.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) == IDLen {
		if b, err := idText.DecodeString(s); err == nil && len(b) == len(id) {
			id = ID(b)
		}
		if id.String() == s { // the decoder skips line breaks and the last character's spare bits
			return id, nil
		}
	}
	return ID{}, fmt.Errorf("%.60q is not a node ID", s)
}

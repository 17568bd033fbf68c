//go:build !lean

package srt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"errors"

	"github.com/datarhei/gosrt/packet"
)

// What key material says of itself (draft-sharabayko-srt-01, 3.2.2).
const (
	kmVersion, kmType, kmSign = 1, 2, 0x2029
	kmCipherCTR, kmOverSRT    = 2, 2
	saltLen                   = 16
	// kekRounds is how often the passphrase is hashed (6.1.4). The draft has so few.
	kekRounds = 2048
)

var errKey = errors.New("the key material is malformed")

// key is what a connection is encrypted with: AES in counter mode, with one of two keys at a time, so that
// the next can be announced before it is used (6.1).
type key struct {
	length int             // in bytes
	blocks [4]cipher.Block // by packet.PacketEncryption: even and odd; nil for what is not known
	salts  [4][saltLen]byte
	even   []byte
}

// newKey makes an even one for a caller.
func newKey(length int) (*key, error) {
	k := &key{length: length, even: make([]byte, length)}
	rand.Read(k.salts[packet.EvenKeyEncrypted][:]) // never fails
	rand.Read(k.even)
	var err error
	k.blocks[packet.EvenKeyEncrypted], err = aes.NewCipher(k.even)
	return k, err
}

// kek is the key that the passphrase makes.
func kek(passphrase string, salt []byte, length int) ([]byte, error) {
	return pbkdf2.Key(sha1.New, passphrase, salt[saltLen-8:], kekRounds, length)
}

// material is what the other side needs to know of the even key.
func (k *key) material(passphrase string) (*packet.CIFKeyMaterialExtension, error) {
	salt := k.salts[packet.EvenKeyEncrypted][:]
	with, err := kek(passphrase, salt, k.length)
	if err != nil {
		return nil, err
	}
	wrapped, err := wrap(with, k.even)
	return &packet.CIFKeyMaterialExtension{
		Version: kmVersion, PacketType: kmType, Sign: kmSign, KeyBasedEncryption: packet.EvenKeyEncrypted, Cipher: kmCipherCTR, StreamEncapsulation: kmOverSRT,
		SLen: saltLen, KLen: uint16(k.length), Salt: salt, Wrap: wrapped,
	}, err
}

// open takes the keys in some material. If the passphrase does not open it, nothing changes.
func (k *key) open(km *packet.CIFKeyMaterialExtension, passphrase string) error {
	n := 1
	if km.KeyBasedEncryption == packet.EvenAndOddKey {
		n = 2
	}
	length := int(km.KLen)
	if len(km.Salt) != saltLen || km.Cipher != kmCipherCTR || km.KeyBasedEncryption == packet.UnencryptedPacket || len(km.Wrap) != 8+n*length || k.length != 0 && k.length != length {
		return errKey
	}
	with, err := kek(passphrase, km.Salt, length)
	if err != nil {
		return err
	}
	opened, err := unwrap(with, km.Wrap)
	if err != nil {
		return err
	}
	k.length = length
	for _, which := range []packet.PacketEncryption{packet.EvenKeyEncrypted, packet.OddKeyEncrypted} {
		if km.KeyBasedEncryption&which == 0 {
			continue
		}
		if k.blocks[which], err = aes.NewCipher(opened[:length]); err != nil {
			return err
		}
		copy(k.salts[which][:], km.Salt)
		opened = opened[length:]
	}
	return nil
}

// crypt decrypts data in place (6.2.2 and 6.3.2). It reports false if it is encrypted with a key that is not known.
func (k *key) crypt(data []byte, which packet.PacketEncryption, number uint32) bool {
	block := k.blocks[which]
	if block == nil {
		return false
	}
	var at [aes.BlockSize]byte
	binary.BigEndian.PutUint32(at[10:], number)
	for i := range at[:14] {
		at[i] ^= k.salts[which][i]
	}
	cipher.NewCTR(block, at[:]).XORKeyStream(data, data)
	return true
}

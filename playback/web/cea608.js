// Line 21 captions (ANSI/CTA-608-E), as encoders such as OBS put them into the pictures. It reads the
// pairs of bytes of channel CC1 and says which lines are on the screen, and since when. It has no
// clock and no screen.

const rows = 15;
const columns = 32;

// Of ASCII, but for these.
const plain = { 0x2a: 'á', 0x5c: 'é', 0x5e: 'í', 0x5f: 'ó', 0x60: 'ú', 0x7b: 'ç', 0x7c: '÷', 0x7d: 'Ñ', 0x7e: 'ñ', 0x7f: '█' };
// From 0x30 on behind 0x11, and from 0x20 on behind 0x12 and 0x13; the latter take the place of the
// character before, which is for old decoders.
const special = '®°½¿™¢£♪à èâêîôû';
const extended = { 0x12: 'ÁÉÓÚÜü‘¡*’—©℠•“”ÀÂÇÈÊËëÎÏïÔÙùÛ«»', 0x13: 'ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤│ÅåØø┌┐└┘' };
// The row of a preamble: the first byte's, and one more with bit 0x20 in the second.
const rowOf = [11, 1, 3, 12, 14, 5, 7, 9];

const odd = (b) => { // parity
  let n = b;
  n ^= n >> 4;
  n ^= n >> 2;
  n ^= n >> 1;
  return (n & 1) === 1;
};

const empty = () => Array.from({ length: rows }, () => Array(columns).fill(''));

export class Line21 {
  #changed;
  #shown = empty();
  #loading = empty(); // of captions that pop on as a whole
  #mode = ''; // pop, roll, paint; '' before the first, and while the text is none of captions
  #height = 0; // rows that roll
  #row = rows - 1;
  #column = 0;
  #mine = false; // what comes is for CC1
  #last = 0; // the control code before: each is sent twice
  #text = '';

  /** changed gets the lines that are on the screen from a time on, in seconds: [] for none. */
  constructor(changed) {
    this.#changed = changed;
  }

  /** pair takes two bytes of field 1, as they are in the picture of a time. */
  pair(time, first, second) {
    if (!odd(first) || !odd(second)) return; // damaged
    const a = first & 0x7f;
    const b = second & 0x7f;
    if (a >= 0x10 && a < 0x20) {
      const code = a << 8 | b;
      const again = code === this.#last;
      this.#last = again ? 0 : code;
      if (again) return;
      this.#mine = (a & 8) === 0;
      if (this.#mine) this.#control(a, b);
    } else if (a >= 0x20 && this.#mine) {
      this.#last = 0;
      this.#put(plain[a] ?? String.fromCharCode(a));
      if (b >= 0x20) this.#put(plain[b] ?? String.fromCharCode(b));
    } else {
      return; // filling
    }
    this.#tell(time);
  }

  #control(a, b) {
    if (b >= 0x40) {
      this.#preamble(a, b);
    } else if (a === 0x11 && b >= 0x30) {
      this.#put(special[b - 0x30]);
    } else if (extended[a] && b >= 0x20) {
      this.#back();
      this.#put(extended[a][b - 0x20]);
    } else if (a === 0x11 && b >= 0x20) {
      this.#put(' '); // another colour
    } else if (a === 0x17 && b > 0x20 && b < 0x24) {
      this.#column = Math.min(columns - 1, this.#column + b - 0x20);
    } else if (a === 0x14) {
      this.#command(b);
    }
  }

  #command(b) {
    switch (b) {
      case 0x20: this.#mode = 'pop'; break;
      case 0x21: this.#back(); break;
      case 0x24: this.#page()[this.#row].fill('', this.#column); break;
      case 0x25: case 0x26: case 0x27:
        if (this.#mode !== 'roll') {
          this.#shown = empty();
          this.#row = rows - 1;
        }
        this.#mode = 'roll';
        this.#height = b - 0x23;
        this.#column = 0;
        break;
      case 0x29: this.#mode = 'paint'; break;
      case 0x2a: case 0x2b: this.#mode = ''; break;
      case 0x2c: this.#shown = empty(); break;
      case 0x2d: if (this.#mode === 'roll') this.#roll(); break;
      case 0x2e: this.#loading = empty(); break;
      case 0x2f:
        [this.#shown, this.#loading] = [this.#loading, this.#shown];
        this.#mode = 'pop';
        break;
      default:
    }
  }

  #preamble(a, b) {
    if (a === 0x10 && b >= 0x60) return;
    const row = rowOf[a & 7] - 1 + (a !== 0x10 && b & 0x20 ? 1 : 0);
    if (this.#mode === 'roll' && row !== this.#row) { // what is there moves along
      const moved = empty();
      for (let i = 0; i < this.#height && i <= row && i <= this.#row; i++) moved[row - i] = this.#shown[this.#row - i];
      this.#shown = moved;
    }
    this.#row = row;
    this.#column = b & 0x10 ? (b & 0x0e) * 2 : 0;
  }

  #roll() {
    const top = Math.max(0, this.#row - this.#height + 1);
    const next = empty();
    for (let i = top; i < this.#row; i++) next[i] = this.#shown[i + 1];
    this.#shown = next;
    this.#column = 0;
  }

  #page() { return this.#mode === 'pop' ? this.#loading : this.#shown; }

  #put(char) {
    if (!this.#mode) return;
    this.#page()[this.#row][this.#column] = char;
    if (this.#column < columns - 1) this.#column++;
  }

  #back() {
    if (this.#column > 0) this.#column--;
    this.#page()[this.#row][this.#column] = '';
  }

  #tell(time) {
    const lines = this.#shown.map((row) => row.map((c) => c || ' ').join('').trim()).filter(Boolean);
    const text = lines.join('\n');
    if (text === this.#text) return;
    this.#text = text;
    this.#changed(time, lines);
  }
}

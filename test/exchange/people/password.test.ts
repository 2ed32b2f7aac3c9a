import { expect, test } from 'vitest';
import { checkPassword, hashPassword, requireStrong, temporaryPassword } from '../../../exchange/people/password.ts';

test('a password is checked against its own hash, in whatever form its characters were typed', async () => {
  const stored = await hashPassword('龙华区 Åpple-2026');
  expect(stored).toMatch(/^scrypt\$15\$8\$3\$[\w-]{22}\$[\w-]{43}$/);
  expect(await checkPassword('龙华区 Åpple-2026', stored)).toBe(true);
  expect(await checkPassword('龙华区 A\u030apple-2026', stored)).toBe(true);
  expect(await checkPassword('龙华区 Åpple-2027', stored)).toBe(false);
  expect(await hashPassword('龙华区 Åpple-2026')).not.toBe(stored);
});

test('parameters are read from the hash, so that older ones stay good when they are raised', async () => {
  // RFC 7914, section 12: N = 1024, r = 8, p = 16 gives 64 bytes, of which a shorter derivation is the beginning.
  const salt = Buffer.from('NaCl').toString('base64url');
  const hash = 'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162';
  const stored = `scrypt$10$8$16$${salt}$${Buffer.from(hash, 'hex').toString('base64url')}`;
  expect(await checkPassword('password', stored)).toBe(true);
  expect(await checkPassword('passwords', stored)).toBe(false);
});

test('nobody’s password is right', async () => {
  expect(await checkPassword('anything at all', null)).toBe(false);
});

test('temporary passwords are strong, readable, and never the same', () => {
  const made = Array.from({ length: 100 }, temporaryPassword);
  expect(new Set(made).size).toBe(100);
  for (const password of made) {
    expect(password).toMatch(/^([a-hjkmnp-z2-9]{4}-){3}[a-hjkmnp-z2-9]{4}$/);
  }
});

test.each([
  ['short', 'Abc-123', 'at least 12'],
  ['the login in it', 'xxZhang.Wei2026', 'the login'],
  ['a run', 'ababababababab', 'five different'],
])('refused: %s', (_, password, why) => {
  expect(() => requireStrong(password, 'zhang.wei')).toThrow(expect.objectContaining({ code: 'PASSWORD_WEAK' }));
  expect(() => requireStrong(password, 'zhang.wei')).toThrow(why);
});

test('accepted: twelve characters of any script', () => {
  expect(() => requireStrong('龙华大数据共享交换平台甲乙', 'zhang.wei')).not.toThrow();
});

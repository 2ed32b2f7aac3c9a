import { expect, it } from 'vitest';
import { s3Options } from '../../runtime/open.ts';

it('an address of S3 names bucket, prefix, region and endpoint', () => {
  expect(s3Options('s3://huitong/longhua/?region=cn-south-1&endpoint=https://s3.example')).toEqual({
    bucket: 'huitong',
    prefix: 'longhua',
    region: 'cn-south-1',
    endpoint: 'https://s3.example',
  });
  expect(s3Options('s3://huitong')).toEqual({ bucket: 'huitong', region: 'us-east-1' });
});

it.each(['s3://', 's3://huitong?regoin=x', 's3://key:canary-77@huitong'])(
  'refuses %s without showing it',
  (address) => {
    const refused = () => s3Options(address);
    expect(refused).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', at: 'HUITONG_STORE_URL' }));
    expect(refused).not.toThrow(/canary/);
  },
);

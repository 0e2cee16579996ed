import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createIngestHarness,
  type IngestHarness,
  NOW_MS,
  RECORDS,
  REPORTS_WRITE_KEY,
  WRITE_KEY,
} from '../testing/fakes.js';

const BASIC = toBasic(REPORTS_WRITE_KEY);
const PAGE = { authorization: toBasic(WRITE_KEY) };
const AT = new Date(NOW_MS - 60_000).toISOString();
const KEY = RECORDS.pseudonymizer.toProfileKey({ userId: 'u1' });
const delivered = { actionId: 'a1', outcome: 'delivered', userId: 'u1', timestamp: AT };

let ingest: IngestHarness;
beforeEach(() => {
  ingest = createIngestHarness();
});
afterEach(() => ingest.server.close());

function post(url: string, payload: unknown, headers: Record<string, string> = {}) {
  return ingest.server.inject({
    method: 'POST',
    url,
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    headers: { 'content-type': 'application/json', authorization: BASIC, ...headers },
  });
}

function toBasic(writeKey: string): string {
  return `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`;
}

describe('reports of other systems', () => {
  it('takes an outcome onto the key of its profile', async () => {
    const sent = { ...delivered, messageId: 'p-1', channel: 'email', properties: { campaign: 'spring' } };
    const response = await post('/v1/outcomes', sent);
    expect([response.statusCode, response.json()]).toEqual([200, { success: true }]);
    expect(ingest.producer.accepted()).toMatchObject([
      {
        key: KEY,
        messageId: 'p-1',
        type: 'outcome',
        name: 'delivered',
        sourceId: 'src_3',
        timestampMs: NOW_MS - 60_000,
        properties: { campaign: 'spring', actionId: 'a1', channel: 'email' },
        notice: {
          notice: { $case: 'outcome', value: { actionId: 'a1', kind: 'delivered', channel: 'email', topic: '' } },
        },
      },
    ]);
  });

  it('takes one by the key of its profile, whose id nobody need know', async () => {
    await post('/v1/outcomes', { ...delivered, userId: null, profileKey: KEY });
    const [event] = ingest.producer.accepted();
    expect(event).toMatchObject({ key: KEY, anonymous: true, subject: Buffer.alloc(0) });
  });

  it('gives the same outcome the same message id, with an id of its own or without', async () => {
    const others = [{ outcome: 'opened' }, { timestamp: new Date(NOW_MS).toISOString() }, { channel: 'email' }];
    for (const more of [{}, {}, ...others, { topic: 'news' }, { topic: 'offers' }]) {
      await post('/v1/outcomes', { ...delivered, ...more });
    }
    await post('/v1/outcomes', { ...delivered, timestamp: undefined });
    await post('/v1/outcomes', { ...delivered, timestamp: undefined });
    const ids = ingest.producer.accepted().map(({ messageId }) => messageId);
    expect(ids[0]).toMatch(/^outcome:/);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[8]).toBe(ids[7]);
    expect(new Set(ids).size).toBe(7);
  });

  it.each([
    ['a list', (reports: unknown[]) => reports],
    ['a batch', (batch: unknown[]) => ({ batch })],
  ])('takes %s: the bad ones are listed, the others accepted', async (_, wrap) => {
    const response = await post('/v1/outcomes', wrap([delivered, { ...delivered, outcome: 'seen' }, 7]));
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({
      success: true,
      rejected: [
        {
          index: 1,
          reason: 'invalid_outcome',
          message:
            'outcome must be one of handed_over, assigned, confirmed, skipped, delivered, opened, clicked, converted, bounced, complained, unsubscribed, expired, cancelled, not "seen"',
        },
        { index: 2, reason: 'not_an_object' },
      ],
    });
    expect(ingest.producer.accepted()).toHaveLength(1);
    const [kept] = ingest.producer.rejected().filter(({ reason }) => reason === 'invalid_outcome');
    expect(JSON.parse(kept?.event ?? '')).toMatchObject({ type: 'outcome', outcome: 'seen' });
  });

  it.each([
    ['/v1/outcomes', { ...delivered, actionId: '' }, 'actionId', 'actionId is needed'],
    ['/v1/outcomes', { ...delivered, actionId: ['a'] }, 'actionId', 'actionId must be a string: an array'],
    ['/v1/outcomes', { ...delivered, value: '7' }, 'value', 'value must be a number up to 1000000000, not "7"'],
    ['/v1/outcomes', { ...delivered, channel: 'x'.repeat(101) }, 'channel', 'has 101 characters, 100 at most'],
    ['/v1/outcomes', { ...delivered, userId: undefined }, 'userId', 'userId, anonymousId or profileKey is needed'],
    ['/v1/outcomes', { ...delivered, profileKey: 'short' }, 'profileKey', 'profileKey must be 22 letters'],
    ['/v1/outcomes', { ...delivered, timestamp: 'noon' }, 'timestamp', 'noon'],
    ['/v1/outcomes', { ...delivered, type: 'contact' }, 'type', 'type is contact, but it was sent as outcome'],
    ['/v1/outcomes', { ...delivered, properties: [] }, 'properties', 'must be an object'],
    ['/v1/contacts', { userId: 'u1' }, 'channel', 'channel is needed'],
    ['/v1/consents', { userId: 'u1' }, 'purposes', 'purposes or permissions are needed'],
    ['/v1/consents', { userId: 'u1', purposes: ['ads'] }, 'purposes', 'must be an object of purposes'],
    ['/v1/consents', { userId: 'u1', purposes: { ads: 'no' } }, 'purposes.ads', 'must be true or false, not "no"'],
    ['/v1/consents', { userId: 'u1', permissions: {} }, 'permissions', 'must be a list'],
    [
      '/v1/consents',
      {
        userId: 'u1',
        permissions: [
          { channel: 'email', state: 'granted' },
          { channel: 'email', state: 'off' },
        ],
      },
      'permissions[1].state',
      'permissions[1].state must be one of granted, requested, withdrawn, not "off"',
    ],
  ])('%s rejects %j at %s', async (url, payload, field, message) => {
    const response = await post(url, payload);
    expect(response.statusCode).toBe(400);
    expect(response.json().message).toContain(message);
    expect(ingest.producer.accepted()).toEqual([]);
    expect(ingest.producer.rejected()).toMatchObject([{ field }]);
  });

  it('takes contacts and consents', async () => {
    const contact = { userId: 'u1', channel: 'sms', campaign: 'spring', timestamp: AT };
    const consent = {
      userId: 'u1',
      purposes: { Advertising: false },
      permissions: [{ channel: 'email', topic: 'news', state: 'withdrawn' }],
      source: 'preference-centre',
      textVersion: '3',
    };
    await post('/v1/contacts', contact);
    await post('/v1/consents', consent);
    expect(ingest.producer.accepted()).toMatchObject([
      {
        type: 'contact',
        name: 'sms',
        notice: { notice: { $case: 'contact', value: { channel: 'sms', campaign: 'spring' } } },
      },
      {
        type: 'consent',
        name: '',
        notice: {
          notice: {
            $case: 'consent',
            value: {
              purposes: [{ purpose: 'advertising', granted: false }],
              permissions: [{ channel: 'email', topic: 'news', state: 'withdrawn' }],
              source: 'preference-centre',
              textVersion: '3',
            },
          },
        },
      },
    ]);
  });

  it('takes all three in a batch of events as well, beside behaviour', async () => {
    const batch = [
      { type: 'track', event: 'x', userId: 'u1' },
      { type: 'outcome', ...delivered },
    ];
    await post('/v1/batch', { batch: [...batch, { type: 'contact', userId: 'u1', channel: 'email' }] });
    expect(ingest.producer.accepted().map(({ type }) => type)).toEqual(['track', 'outcome', 'contact']);
  });
});

describe('a source that may not report, its key being in a page', () => {
  const granted = (channel = 'email') => ({ permissions: [{ channel, state: 'granted' }] });

  it.each([
    ['/v1/outcomes', delivered, 'type'],
    ['/v1/contacts', { userId: 'u1', channel: 'email' }, 'type'],
    ['/v1/webhooks/mailer', { ...delivered, event: 'complained' }, 'type'],
    ['/v1/consents', { userId: 'u1', ...granted() }, 'permissions'],
    ['/v1/consents', { profileKey: KEY, ...granted('*') }, 'permissions'],
    ['/v1/consents', { userId: 'u1', anonymousId: 'd1', purposes: { Marketing: true } }, 'purposes'],
    ['/v1/batch', { batch: [{ ...delivered, type: 'outcome' }] }, 'type'],
    ['/v1/batch', { batch: [{ type: 'consent', userId: 'u1', ...granted() }] }, 'permissions'],
  ])('cannot say by %s: %j', async (url, payload, field) => {
    expect((await post(url, payload, PAGE)).body).toContain('report_not_allowed');
    expect(ingest.producer.accepted()).toEqual([]);
    expect(ingest.producer.rejected()).toMatchObject([{ reason: 'report_not_allowed', field, sourceId: 'src_1' }]);
    expect((await post(url, payload)).json()).toEqual({ success: true });
  });

  it.each([
    { userId: 'u1', permissions: [{ channel: '*', state: 'withdrawn' }], purposes: { marketing: false } },
    { userId: 'u1', permissions: [{ channel: 'email', state: 'requested' }], purposes: { analytics: true } },
    { anonymousId: 'd1', ...granted(), purposes: { marketing: true } },
  ])('can say as ever: %j', async (consent) => {
    expect((await post('/v1/consents', consent, PAGE)).json()).toEqual({ success: true });
    expect(ingest.producer.accepted()).toHaveLength(1);
  });

  it('has what a cookie banner says of a device taken whole, of a user without the grant of contact', async () => {
    const said = (categoryPreferences: object) => ({ type: 'page', context: { consent: { categoryPreferences } } });
    const all = said({ marketing: true, ads: true });
    const batch = [
      { ...all, anonymousId: 'd1' },
      { ...all, userId: 'u1', anonymousId: 'd1' },
      { ...said({ marketing: true }), userId: 'u1' },
      { ...said({ marketing: false }), userId: 'u1' },
    ];
    await post('/v1/batch', { batch }, PAGE);
    const ads = { purpose: 'ads', granted: true };
    const purposes = ingest.producer.accepted().map(({ notice }) => {
      const said = notice?.notice;
      return said?.$case === 'consent' ? said.value.purposes : undefined;
    });
    expect(purposes).toEqual([
      [{ purpose: 'marketing', granted: true }, ads],
      [ads],
      undefined,
      [{ purpose: 'marketing', granted: false }],
    ]);
    expect(await ingest.readMetrics()).toMatch(/ingest_values_ignored_total\{[^}]*field="consent"[^}]*\} 2/);
  });

  it('does not make pages of other sites reporters: only consents are open to them', async () => {
    const origin = { origin: 'https://shop.example.test' };
    const allow = 'access-control-allow-origin';
    const sent = ['/v1/outcomes', '/v1/contacts', '/v1/webhooks/mailer', '/v1/consents', '/v1/batch'];
    const answers = await Promise.all(sent.map((url) => post(url, {}, origin)));
    expect(answers.map(({ headers }) => headers[allow] !== undefined)).toEqual([false, false, false, true, true]);
  });
});

describe('consent that comes with an event', () => {
  const consentOf = (index = 0) => ingest.producer.accepted()[index]?.notice?.notice?.value;

  it.each([
    ['of the Segment API', { consent: { categoryPreferences: { Ads: false } } }, {}, 'context', 'ads'],
    ['by purposes', { consent: { purposes: { ads: false } } }, {}, 'context', 'ads'],
    ['of Global Privacy Control in the context', { gpc: true }, {}, 'gpc', 'sale_or_sharing'],
    ['of Global Privacy Control in the header', {}, { 'sec-gpc': '1' }, 'gpc', 'sale_or_sharing'],
  ])('is read %s', async (_, context, headers, source, purpose) => {
    await post('/v1/track', { event: 'x', userId: 'u1', context }, headers);
    expect(ingest.producer.accepted()).toMatchObject([{ type: 'track', name: 'x' }]);
    expect(consentOf()).toMatchObject({ source, purposes: [{ purpose, granted: false }] });
  });

  it('is no reason to forget Global Privacy Control where it cannot be read', async () => {
    await post('/v1/track', { event: 'x', userId: 'u1', context: { consent: 'no' } }, { 'sec-gpc': '1' });
    expect(consentOf()).toMatchObject({ source: 'gpc', purposes: [{ purpose: 'sale_or_sharing', granted: false }] });
    expect(await ingest.readMetrics()).toMatch(/ingest_values_ignored_total\{[^}]*field="consent"[^}]*\} 1/);
  });

  it('costs the event nothing where it cannot be read, and is counted', async () => {
    for (const consent of ['no', { categoryPreferences: { Ads: 1 } }, { categoryPreferences: [] }]) {
      expect((await post('/v1/track', { event: 'x', userId: 'u1', context: { consent } })).statusCode).toBe(200);
    }
    await post('/v1/track', { event: 'x', userId: 'u1' });
    expect(ingest.producer.accepted().map(({ notice }) => notice)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(await ingest.readMetrics()).toMatch(/ingest_values_ignored_total\{[^}]*field="consent"[^}]*\} 3/);
  });
});

describe('the webhook', () => {
  it.each([
    [
      'of SendGrid',
      {
        email: 'a@b.c',
        event: 'open',
        timestamp: Math.floor(NOW_MS / 1000) - 60,
        sg_event_id: 'sg1',
        action_id: 'a1',
        userId: 'u1',
      },
      'opened',
    ],
    [
      'with inner values',
      { id: 'sg1', type: 'email.bounced', created_at: AT, metadata: { actionId: 'a1', profileKey: KEY } },
      'bounced',
    ],
  ])('maps an item %s', async (_, item, name) => {
    const response = await post('/v1/webhooks/mailer', [item]);
    expect(response.json()).toEqual({ success: true });
    const [event] = ingest.producer.accepted();
    expect(event).toMatchObject({ key: KEY, messageId: `mailer:${name}:a1:sg1`, name, timestampMs: NOW_MS - 60_000 });
    expect(event?.properties).toEqual({ provider: 'mailer', actionId: 'a1' });
  });

  const about = { actionId: 'a1', userId: 'u1', created_at: AT };
  const idsOf = async (items: object[]) => {
    await post('/v1/webhooks/mailer', items);
    return ingest.producer.accepted().map(({ messageId }) => messageId);
  };

  it('tells what came of one mail apart by more than its id, and knows a repeat', async () => {
    const mail = { ...about, message_id: 'mail-1' };
    const items = [
      { ...mail, event: 'delivered' },
      { ...mail, event: 'delivered' },
      { ...mail, event: 'unsubscribe', topic: 'news' },
      { ...mail, event: 'unsubscribe', topic: 'offers' },
      { ...mail, event: 'click' },
      { ...mail, event: 'click', created_at: new Date(NOW_MS - 1_000).toISOString() },
      { ...mail, event: 'click', actionId: 'a2' },
    ];
    const ids = await idsOf(items);
    expect(ids[1]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(6);
  });

  it("takes no id of the sender's own values for the event's", async () => {
    const ids = await idsOf([{ ...about, event: 'click', metadata: { id: 'campaign-7' } }]);
    expect(ids).toEqual([expect.stringMatching(/^outcome:/)]);
  });

  it('keeps a status, and no text that may have the address', async () => {
    const texts = { reason: '550 5.1.1 <ben@example.test> unknown', url: 'https://a.test/?email=ben@example.test' };
    await post('/v1/webhooks/mailer', [{ ...about, ...texts, event: 'bounce', status: '5.1.1' }]);
    await post('/v1/webhooks/mailer', [{ ...about, event: 'bounce', status: '<ben@example.test> is unknown' }]);
    const properties = { provider: 'mailer', actionId: 'a1' };
    expect(ingest.producer.accepted().map((event) => event.properties)).toEqual([
      { ...properties, status: '5.1.1' },
      properties,
    ]);
    expect(JSON.stringify(ingest.producer.sent.map(({ value }) => String(value)))).not.toContain('ben@');
  });

  it('takes a change of subscription for a withdrawal only where it is one', async () => {
    const change = { ...about, RecordType: 'SubscriptionChange' };
    const answer = await post('/v1/webhooks/postmark', [
      { ...change, SuppressSending: true },
      { ...change, SuppressSending: false },
    ]);
    expect(answer.json().rejected).toMatchObject([{ index: 1, reason: 'invalid_outcome' }]);
    expect(ingest.producer.accepted()).toMatchObject([{ name: 'unsubscribed' }]);
  });

  it('lists what it cannot map, and takes the rest', async () => {
    const events = [
      { event: 'deferred', actionId: 'a', userId: 'u1' },
      { event: 'click', actionId: 'a', userId: 'u1' },
    ];
    const response = await post('/v1/webhooks/mailer', { events });
    expect(response.statusCode).toBe(200);
    expect(response.json().rejected).toMatchObject([{ index: 0, reason: 'invalid_outcome' }]);
    expect(ingest.producer.accepted()).toMatchObject([{ name: 'clicked' }]);
  });

  it('needs a write key and a name of the provider', async () => {
    expect((await post('/v1/webhooks/mailer', [], { authorization: '' })).statusCode).toBe(401);
    expect((await post('/v1/webhooks/Mail%20er', [])).json()).toMatchObject({ error: 'invalid_provider' });
  });
});

/**
 * Names of traits that say who someone is, without case and marks between words: personal wherever they stand in a name,
 * unless a tracking plan says otherwise.
 */
const PERSONAL = new Set([
  ...['email', 'emailaddress', 'mail', 'phone', 'phonenumber', 'mobile', 'telephone', 'fax', 'website', 'url'],
  ...['name', 'firstname', 'lastname', 'middlename', 'fullname', 'givenname', 'familyname', 'surname', 'nickname'],
  ...['displayname', 'username', 'login', 'password', 'avatar', 'photo', 'picture', 'description', 'bio'],
  ...['address', 'street', 'address1', 'address2', 'postalcode', 'postcode', 'zip', 'zipcode', 'latitude', 'longitude'],
  ...['birthday', 'birthdate', 'dateofbirth', 'dob', 'age', 'gender', 'sex', 'ssn', 'passport', 'taxid', 'iban'],
  ...[
    'nationalid',
    'idnumber',
    'creditcard',
    'cardnumber',
    'ip',
    'ipaddress',
    'wechat',
    'openid',
    'unionid',
    'facebook',
  ],
  ...['twitter', 'linkedin', 'instagram', 'whatsapp', 'telegram', 'line', 'qq', 'weibo'],
]);

/** Names of traits that plainly say nothing of who someone is; with the outer names, as in `company.plan`. */
const PLAIN = new Set([
  ...['plan', 'tier', 'subscription', 'subscriptionplan', 'subscriptionstatus', 'status', 'trial', 'paid', 'vip'],
  ...['plan.name', 'subscription.plan', 'subscription.status', 'loyaltytier', 'loyaltypoints', 'segment', 'role'],
  ...[
    'createdat',
    'signedupat',
    'signupdate',
    'trialendsat',
    'language',
    'locale',
    'currency',
    'country',
    'countrycode',
  ],
  ...['timezone', 'industry', 'employees', 'employeecount', 'seats', 'company.industry', 'company.plan'],
  ...[
    'company.employeecount',
    'company.employees',
    'source',
    'channel',
    'referrer',
    'optin',
    'newsletter',
    'isemployee',
  ],
]);

/** `first_name` and `firstName` are the same. */
function toPlain(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]/g, '');
}

/** Whether a trait is personal as far as its name tells: undefined where it tells nothing. Names lead from the outside in. */
export function isPersonalByName(names: readonly string[]): boolean | undefined {
  const plain = names.map(toPlain);
  if (PLAIN.has(plain.join('.'))) return false;
  return plain.some((name) => PERSONAL.has(name)) ? true : undefined;
}

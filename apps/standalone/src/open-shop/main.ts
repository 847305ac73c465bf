/** Opens the demo shop in the split form: an account and two products, over the interfaces that anybody would use. */
import process from 'node:process';
import { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import { makeClient, openChannel } from '@tillstream/rpc/client';
import { ConfigError, readConfig } from '@tillstream/service/config';
import { shopSettings } from '../config.ts';
import { openDemoShop } from '../demo-shop.ts';

try {
  const config = readConfig(shopSettings, process.env);
  const channel = openChannel({ address: config.MERCHANT_ADDRESS });
  const account = await makeClient(MerchantApiService, channel, { deadlineMs: 20_000 }).createAccount({
    accountName: 'demo',
    shopName: 'Demo shop',
    supportEmail: 'merchant@example.com',
  });
  channel.close();
  const apiKey = account.testApiKey === '' ? config.API_KEY : account.testApiKey;
  if (apiKey === undefined) {
    console.log('The shop is open already; its API key was told then.');
  } else {
    console.log(`API key      ${apiKey}`);
    for (const { name, checkout_url } of await openDemoShop(config.GATEWAY_URL, apiKey))
      console.log(`Buy          ${checkout_url}   ${name}`);
  }
} catch (error) {
  if (error instanceof ConfigError) console.error(error.message);
  else console.error('The shop could not be opened:', error);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}
